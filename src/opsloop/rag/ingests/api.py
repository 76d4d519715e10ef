"""HTTP: many documents at once, and what became of each."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, ValidationError
from starlette.datastructures import UploadFile

from opsloop.core.errors import InvalidInput
from opsloop.core.web.dependencies import Asking, Opened, Reading, in_writers_thread
from opsloop.core.web.router import Router
from opsloop.core.web.wrong_form import fault
from opsloop.rag.ingests import service, urls
from opsloop.rag.ingests.models import Given, Ingest, ItemState, Named

router = Router(prefix="/api/collections/{name}/ingests", tags=["documents"])
_METADATA = TypeAdapter(dict[str, str])


class SentDocument(BaseModel):
    model_config = ConfigDict(extra="forbid")

    filename: str
    content_base64: str
    metadata: dict[str, str] = Field(default_factory=dict)


class NamedDocument(BaseModel):
    """A document that the platform fetches, where OPSLOOP_RAG_URLS allows it."""

    model_config = ConfigDict(extra="forbid")

    url: str
    filename: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)


def _form_of(document: Any) -> str:
    return "named" if isinstance(document, dict) and "url" in document else "sent"


_Document = Annotated[
    Annotated[SentDocument, Tag("sent")] | Annotated[NamedDocument, Tag("named")], Discriminator(_form_of)
]


class SentDocuments(BaseModel):
    model_config = ConfigDict(extra="forbid")

    documents: list[_Document]


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["documents"],
                    "properties": {
                        "documents": {
                            "type": "array",
                            "items": {"anyOf": [SentDocument.model_json_schema(), NamedDocument.model_json_schema()]},
                        }
                    },
                }
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "metadata": {"type": "string", "description": "A JSON object of texts, for all of them."},
                    },
                }
            },
        },
    }
}


@router.post("", status_code=202, openapi_extra=_BODY)
async def start(request: Request, workspace: Opened, caller: Asking, name: str) -> Ingest:
    """Many documents, as JSON with base64 or URLs, or as a multipart form with `files`; a job stores them."""
    return await _taken_in(request, workspace, caller, name)


@router.post("/{ingest}/documents", status_code=202, openapi_extra=_BODY)
async def add(request: Request, workspace: Opened, caller: Asking, name: str, ingest: str) -> Ingest:
    """More documents of the same ingest."""
    return await _taken_in(request, workspace, caller, name, into=ingest)


@router.get("")
def ingests(uow: Reading, name: str, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> dict[str, Any]:
    return {"items": service.listed(uow, name, limit=limit), "next": None}


@router.get("/{ingest}")
def ingest(uow: Reading, name: str, ingest: str) -> Ingest:
    return service.get(uow, name, ingest)


@router.get("/{ingest}/documents")
def documents(
    uow: Reading,
    name: str,
    ingest: str,
    state: ItemState | None = None,
    after: int | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """What became of each document, in the order in which they were sent."""
    found = service.items(uow, name, ingest, state=state, after=after, limit=limit)
    return {"items": found, "next": found[-1].number if len(found) == limit else None}


async def _taken_in(request: Request, workspace: Opened, caller: Asking, name: str, into: str | None = None) -> Ingest:
    is_form = request.headers.get("content-type", "").startswith("multipart/form-data")
    if is_form:
        return await in_writers_thread(service.take_in, workspace, caller, name, await _from_form(request), into=into)
    return await in_writers_thread(urls.take_in, workspace, caller, name, await _from_json(request), into=into)


async def _from_json(request: Request) -> list[Given | Named]:
    try:
        sent = SentDocuments.model_validate_json(await request.body())
    except ValidationError as error:
        raise _fault(error) from None
    return [_sent(number, each) for number, each in enumerate(sent.documents)]


def _fault(error: ValidationError) -> InvalidInput:
    """The first thing that is wrong, at the path that the caller wrote: without the name of the document's form."""
    first = error.errors(include_url=False)[0]
    at = first["loc"]
    found = fault({**first, "loc": (*at[:2], *at[3:])})
    if found.field.endswith("content_base64") and first["type"] != "extra_forbidden":
        # What was sent stays out of the sentence: it may be the document.
        return InvalidInput(field=found.field, wanted="the file as base64 text")
    return InvalidInput(found.sentence, field=found.field)


def _sent(number: int, sent: SentDocument | NamedDocument) -> Given | Named:
    if isinstance(sent, NamedDocument):
        return Named(sent.url, sent.filename, sent.metadata)
    return Given(sent.filename, _bytes(number, sent), sent.metadata)


def _bytes(number: int, sent: SentDocument) -> bytes:
    try:
        return base64.b64decode(sent.content_base64, validate=True)
    except (binascii.Error, ValueError):
        # Its value stays out of the sentence: it is the document.
        wanted = f"base64 of {sent.filename}, without line breaks"
        raise InvalidInput(field=f"documents.{number}.content_base64", wanted=wanted) from None


async def _from_form(request: Request) -> list[Given]:
    async with request.form(max_files=service.MAX_DOCUMENTS) as form:
        files = [each for each in form.getlist("files") if isinstance(each, UploadFile)]
        if not files:
            raise InvalidInput(field="files", value=form.get("files"), wanted="files in a multipart form")
        metadata = _metadata(form.get("metadata", "{}"))
        return [Given(each.filename or "", await each.read(), metadata) for each in files]


def _metadata(text: object) -> Mapping[str, str]:
    try:
        return _METADATA.validate_python(json.loads(text) if isinstance(text, str) else text)
    except (ValidationError, ValueError, RecursionError) as error:
        raise InvalidInput(field="metadata", value=text, wanted="a JSON object of texts") from error
