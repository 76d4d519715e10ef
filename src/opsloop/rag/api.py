"""HTTP: documents in, answers out."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated, Any, Literal

from fastapi import Header, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile

from opsloop.core.errors import InvalidInput
from opsloop.core.web.body import RawBody, takes_file
from opsloop.core.web.dependencies import Asking, Opened, Reading, Writing, in_writers_thread
from opsloop.core.web.router import Router
from opsloop.core.web.wrong_form import first_fault
from opsloop.rag import service
from opsloop.rag.answering import asking
from opsloop.rag.answering.asking import Asked
from opsloop.rag.answering.events import STREAM, events
from opsloop.rag.answering.following_up import Turn
from opsloop.rag.collections import DEFAULT_CHUNKING
from opsloop.rag.models import (
    DEFAULT_COLLECTION,
    Answer,
    Collection,
    CollectionStats,
    Document,
    Passage,
    Ranking,
    Removed,
    Uploaded,
)

MOST_TURNS = 100

router = Router(tags=["documents"])


class Upload(BaseModel):
    model_config = ConfigDict(extra="forbid")

    filename: str
    content_base64: str
    collection: str = DEFAULT_COLLECTION
    metadata: dict[str, str] = Field(default_factory=dict)


class Question(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: str
    collection: str = DEFAULT_COLLECTION
    top_k: int = service.DEFAULT_TOP_K
    filters: dict[str, str | list[str]] = Field(default_factory=dict)


class ConversationTurn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: Literal["user", "assistant"]
    content: str


class Query(Question):
    """`generate`: whether a model writes the answer; left out: when one is set. `history`: the conversation so far."""

    generate: bool | None = None
    history: list[ConversationTurn] = Field(default_factory=list, max_length=MOST_TURNS)

    def asked(self) -> Asked:
        return Asked(
            self.question,
            self.collection,
            self.top_k,
            self.filters,
            self.generate,
            tuple(Turn(turn.role, turn.content) for turn in self.history),
        )


class NewCollection(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    chunking: str = DEFAULT_CHUNKING
    vector_weight: float | None = None
    embedder: str | None = None
    store: str | None = None


class Access(BaseModel):
    model_config = ConfigDict(extra="forbid")

    readers: list[str] | None
    writers: list[str] | None


class Changes(BaseModel):
    """What is not sent stays as it is; null is the usual."""

    model_config = ConfigDict(extra="forbid")

    chunking: str = DEFAULT_CHUNKING
    vector_weight: float | None = None
    min_support: float | None = None


class Reindexing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    embedder: str | None = None


class Retention(BaseModel):
    model_config = ConfigDict(extra="forbid")

    days: int | None


class Search(Question):
    diversity: float = 0.0
    ranking: Ranking = "fused"


class Passages(BaseModel):
    items: list[Passage]
    note: str | None


_UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": Upload.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "collection": {"type": "string", "default": DEFAULT_COLLECTION},
                        "metadata": {"type": "string", "description": "A JSON object of texts."},
                    },
                }
            },
        },
    }
}


@router.post("/upload", openapi_extra=_UPLOAD_BODY)
async def upload(request: Request, workspace: Opened, caller: Asking) -> Uploaded:
    """One document, as JSON with base64 or as a multipart form with `file`."""
    form, data = await (_from_multipart(request) if _is_multipart(request) else _from_json(request))

    return await in_writers_thread(
        service.take_in, workspace, caller, form.collection, form.filename, data, metadata=form.metadata
    )


def _is_multipart(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("multipart/form-data")


async def _from_json(request: Request) -> tuple[Upload, bytes]:
    try:
        form = Upload.model_validate_json(await request.body())
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[0]
        if found["loc"][:1] == ("content_base64",) and found["type"] != "missing":
            raise InvalidInput(field="content_base64", wanted="the file as base64 text") from None
        raise first_fault(error) from error
    try:
        return form, base64.b64decode(form.content_base64, validate=True)
    except (binascii.Error, ValueError):
        # Its value stays out of the sentence: it is the document.
        wanted = f"base64 of {form.filename}, without line breaks"
        raise InvalidInput(field="content_base64", wanted=wanted) from None


async def _from_multipart(request: Request) -> tuple[Upload, bytes]:
    async with request.form() as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise InvalidInput(field="file", value=file, wanted="a file in a multipart form")
        fields = {
            "filename": file.filename or "",
            "content_base64": "",
            "collection": form.get("collection", DEFAULT_COLLECTION),
            "metadata": _json_object(form.get("metadata", "{}")),
        }
        try:
            return Upload.model_validate(fields), await file.read()
        except ValidationError as error:
            raise first_fault(error) from error


def _json_object(text: object) -> object:
    try:
        return json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError) as error:
        raise InvalidInput(field="metadata", value=text, wanted="a JSON object of texts") from error


@router.post(
    "/query",
    response_model=Answer,
    responses={200: {"content": {STREAM: {"schema": {"type": "string"}}}}},
)
async def query(
    workspace: Opened, caller: Asking, body: Query, accept: Annotated[str, Header()] = ""
) -> Answer | Response:
    """An answer whose citations are exact quotations, or an abstention.

    With `Accept: text/event-stream` its sentences come as each is proved: events `sentence`, and at the end `answer`.
    """
    if STREAM in accept:
        return await events(asking.stream(workspace, caller, body.asked()))
    return await asking.ask(workspace, caller, body.asked())


@router.post("/api/collections", status_code=201)
def create_collection(uow: Writing, body: NewCollection) -> Collection:
    return service.create_collection(
        uow,
        body.name,
        chunking=body.chunking,
        vector_weight=body.vector_weight,
        embedder=body.embedder,
        store=body.store,
    )


@router.get("/api/collections")
def collections(uow: Reading) -> dict[str, Any]:
    return {"items": service.collections(uow), "next": None}


@router.get("/api/collections/{name}")
def stats(uow: Reading, name: str) -> CollectionStats:
    return service.stats(uow, name)


@router.patch("/api/collections/{name}")
def change_collection(uow: Writing, name: str, body: Changes) -> Collection:
    """How texts are cut, the share of vectors, the threshold of abstention; texts are cut anew at once."""
    changes = {
        "chunking": lambda: service.recut(uow, name, body.chunking),
        "vector_weight": lambda: service.weigh(uow, name, body.vector_weight),
        "min_support": lambda: service.abstain_below(uow, name, body.min_support),
    }
    for field in sorted(body.model_fields_set):
        changes[field]()
    return service.collection(uow, name)


@router.delete("/api/collections/{name}")
def delete_collection(workspace: Opened, caller: Asking, name: str) -> Removed:
    """The collection with all its documents; the answer says what was removed."""
    with workspace.writing(caller) as uow:
        deletion = service.delete_collection(uow, name)
    service.forget(workspace, deletion)
    return deletion.removed


@router.post("/api/collections/{name}/search")
def search(uow: Reading, name: str, body: Search) -> Passages:
    """The passages that match; `note` says when it is not the collection's store that was searched."""
    found = service.find(
        uow,
        name,
        body.question,
        top_k=body.top_k,
        filters=body.filters,
        diversity=body.diversity,
        ranking=body.ranking,
    )
    return Passages(items=list(found.passages), note=found.note)


@router.post("/api/collections/{name}/passages", openapi_extra=takes_file("application/jsonl"))
def upload_passages(body: RawBody, uow: Writing, name: str) -> dict[str, list[Uploaded]]:
    """JSON lines of ready passages, `{"_id", "title", "text"}`."""
    return {"items": service.upload_passages(uow, name, body)}


@router.put("/api/collections/{name}/access")
def give_access(uow: Writing, name: str, body: Access) -> Collection:
    """Who may read the collection and who may change it; null opens it to whoever has the role for it."""
    return service.give_access(uow, name, readers=body.readers, writers=body.writers)


@router.put("/api/collections/{name}/retention")
def retain(uow: Writing, name: str, body: Retention) -> Collection:
    """The age in days at which documents are deleted; null keeps them."""
    return service.retain(uow, name, body.days)


@router.post("/api/collections/{name}/reindex")
def reindex(workspace: Opened, caller: Asking, name: str, body: Reindexing | None = None) -> CollectionStats:
    """Make all vectors anew, with the embedder that is named or the collection's own.

    The offline embedder is fitted at once. For any other, `changeover` of the answer and of the collection tells how
    far the job is that makes the vectors; the old ones serve until all are there.
    """
    embedder = body.embedder if body is not None else None
    if embedder is not None:
        service.check_reachable(workspace, caller, name, embedder)
    with workspace.writing(caller) as uow:
        return service.reindex(uow, name, embedder)


@router.get("/api/collections/{name}/documents")
def documents(uow: Reading, name: str, after: str | None = None, limit: int = 100) -> dict[str, Any]:
    found = service.list_documents(uow, name, after=after, limit=limit)
    return {"items": found, "next": found[-1].id if len(found) == limit else None}


@router.get("/api/collections/{name}/documents/{document_id}")
def document(uow: Reading, name: str, document_id: str) -> Document:
    return service.document(uow, name, document_id)


@router.get("/api/collections/{name}/documents/{document_id}/text")
def document_text(uow: Reading, name: str, document_id: str) -> dict[str, str]:
    """The stored text that citations point into."""
    return {"text": service.document_text(uow, name, document_id)}


@router.delete("/api/collections/{name}/documents/{document_id}")
def delete_document(workspace: Opened, caller: Asking, name: str, document_id: str) -> Removed:
    """A document with everything that was kept of it; the answer says what was removed."""
    with workspace.writing(caller) as uow:
        deletion = service.delete_document(uow, name, document_id)
    service.forget(workspace, deletion)
    return deletion.removed
