"""`/documents/{collection}/{document}`: the text, with a cited span marked in the chunk around it; and its deletion."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from opsloop.console import words
from opsloop.console.page import Frame, Place, page, see_other
from opsloop.console.page_router import PageRouter
from opsloop.console.pages.documents import HOME, address
from opsloop.core.caller import Role
from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.workspace import UnitOfWork
from opsloop.rag import service
from opsloop.rag.documents import chunks
from opsloop.rag.documents.chunks import Chunk

router = PageRouter()
MOST_TEXT = 200_000
Offset = Annotated[int, Query(ge=0, le=2**31)]


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the text, alike in itself: in a chunk that is shown, cited, or neither."""

    text: str
    is_cited: bool
    in_chunk: bool


def parts(text: str, cited: tuple[int, int], around: tuple[int, int]) -> list[Part]:
    """A text cut where the cited span and the chunks around it begin and end; together they are the text."""
    inside = {min(max(each, 0), len(text)) for each in (*cited, *around)}
    borders = sorted(inside | {0, len(text)})
    return [
        Part(text[left:right], cited[0] <= left < cited[1], around[0] <= left < around[1])
        for left, right in pairwise(borders)
    ]


@router.get("/documents/{collection}/{document}")
def shown(
    request: Request,
    uow: Reading,
    collection: str,
    document: str,
    start: Offset = 0,
    end: Offset = 0,
    chunk: Annotated[int | None, Query(ge=0, le=2**31)] = None,
) -> Response:
    """Characters `start` to `end` are marked in the chunk that holds them; `chunk` shows the chunk of that number."""
    found = service.document(uow, collection, document)
    text = service.document_text(uow, collection, document)
    chunks = _chunks(uow, collection, document, start, end, chunk)
    around = (chunks[0].start, chunks[-1].end) if chunks else (0, 0)
    first = start if end > start else around[0]
    begin = max(0, first - MOST_TEXT // 2) if len(text) > MOST_TEXT else 0
    visible = text[begin : begin + MOST_TEXT]
    frame = Frame(
        found.filename,
        trail=(HOME, Place(collection, address(collection))),
        cli=f"opsloop rag list {shlex.quote(collection)}",
        json=f"/api/collections/{words.segment(collection)}/documents/{words.segment(document)}",
    )
    return page(
        request,
        "document.html",
        frame,
        document=found,
        parts_shown=parts(visible, (start - begin, end - begin), (around[0] - begin, around[1] - begin)),
        chunks=chunks,
        is_cited=end > start,
        is_outside=end > start and (end > len(text) or not chunks),
        is_cut=len(visible) < len(text),
        start=start,
        end=end,
        here=address(collection, document),
        now=uow.clock.now(),
    )


def _chunks(
    uow: UnitOfWork, collection: str, document: str, start: int, end: int, number: int | None
) -> Sequence[Chunk]:
    if end > start:
        return chunks.chunks_at(uow, collection, document, start, end)
    return chunks.chunk_numbered(uow, collection, document, number) if number is not None else []


@router.get("/documents/{collection}/{document}/delete")
def asked_to_delete(request: Request, uow: Reading, collection: str, document: str) -> Response:
    """What goes with a document, and the form that deletes it."""
    uow.by.require(Role.DEVELOPER)
    found = service.document(uow, collection, document)
    here = address(collection, document)
    frame = Frame(
        "Delete the document?",
        trail=(HOME, Place(collection, address(collection)), Place(found.filename, here)),
        cli=f"opsloop rag delete {shlex.quote(collection)} {shlex.quote(document)}",
        json=f"/api/collections/{words.segment(collection)}/documents/{words.segment(document)}",
    )
    return page(request, "documents_delete.html", frame, document=found, collection=collection, here=here)


@router.post("/documents/{collection}/{document}/delete")
def deleted(uow: Writing, collection: str, document: str) -> Response:
    found = service.document(uow, collection, document)
    service.delete_document(uow, collection, document)
    return see_other(f"{address(collection)}?deleted={words.segment(found.filename)}")
