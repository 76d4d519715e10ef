"""Files into a collection, each by itself: what was refused is told beside it and keeps no other file out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Header, Request
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import FormData, UploadFile

from opsloop.console.page import SECURITY_HEADERS, Frame, Place, page
from opsloop.console.page_router import PageRouter
from opsloop.console.pages.documents import HOME, address
from opsloop.core.caller import Caller, Role
from opsloop.core.errors import InvalidInput, OpsloopError
from opsloop.core.web.dependencies import Asking, Opened, in_writers_thread
from opsloop.core.workspace import Workspace
from opsloop.rag import service

router = PageRouter()
MOST_FILES = 1_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a file: a document with its page's address, or the sentence that says why not."""

    filename: str
    address: str = ""
    chunks: int = 0
    is_duplicate: bool = False
    refused: str = ""


@router.post("/documents/{collection}")
async def uploaded(
    request: Request,
    workspace: Opened,
    caller: Asking,
    collection: str,
    accept: Annotated[str, Header()] = "",
) -> Response:
    """Take the form's files in; what came of each, as a page or as JSON."""
    caller.require(Role.DEVELOPER)
    async with request.form(max_files=MOST_FILES) as sent:
        metadata = read_metadata(str(sent.get("metadata", "")))
        outcomes = [
            await in_writers_thread(_store, workspace, caller, collection, each, metadata) for each in _files(sent)
        ]
    if not outcomes:
        raise InvalidInput(field="file", value="", wanted="at least one file")
    if "text/html" not in accept:
        return JSONResponse({"items": [_plain(each) for each in outcomes]}, headers=SECURITY_HEADERS)
    here = address(collection)
    frame = Frame("What came of the upload", trail=(HOME, Place(collection, here)))
    return page(request, "documents_uploaded.html", frame, outcomes=outcomes, here=here)


def _files(sent: FormData) -> list[UploadFile]:
    """The chosen files; a field in which none was chosen comes as a file without a name."""
    return [each for each in sent.getlist("file") if isinstance(each, UploadFile) and each.filename]


def _store(
    workspace: Workspace, caller: Caller, collection: str, file: UploadFile, metadata: dict[str, str]
) -> Outcome:
    name = file.filename or ""
    try:
        found = service.take_in(workspace, caller, collection, name, file.file.read(), metadata=metadata)
    except OpsloopError as error:
        return Outcome(name, refused=error.sentence)
    return Outcome(name, address(collection, found.document_id), found.chunks, found.duplicate)


def read_metadata(lines: str) -> dict[str, str]:
    """`key=value`, one a line. Raises: InvalidInput naming the line."""
    found = {}
    for line in filter(None, map(str.strip, lines.splitlines())):
        key, equals, value = line.partition("=")
        if not equals or not key.strip():
            raise InvalidInput(field="metadata", value=line, wanted="key=value, one a line")
        found[key.strip()] = value.strip()
    return found


def _plain(outcome: Outcome) -> dict[str, object]:
    return {
        "filename": outcome.filename,
        "address": outcome.address,
        "chunks": outcome.chunks,
        "duplicate": outcome.is_duplicate,
        "refused": outcome.refused,
    }
