"""`/documents`, `/documents/{collection}` and a document's text, with a cited span marked in it."""

from __future__ import annotations

import shlex
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from opsloop.console import words
from opsloop.console.page import Frame, Place, page
from opsloop.core.web.dependencies import Reading
from opsloop.rag import service

router = APIRouter(include_in_schema=False)
DOCUMENTS = 100
MAX_TEXT = 200_000
HOME = Place("Documents", "/documents")


@router.get("/documents")
def collections(request: Request, uow: Reading) -> Response:
    found = service.collections(uow)
    frame = Frame("Documents", cli="opsloop rag list", json="/api/collections")
    return page(request, "collections.html", frame, collections=found, now=uow.clock.now())


@router.get("/documents/{collection}")
def documents(
    request: Request, uow: Reading, collection: str, after: Annotated[str | None, Query(max_length=200)] = None
) -> Response:
    found = service.list_documents(uow, collection, after=after, limit=DOCUMENTS)
    here = f"/documents/{words.segment(collection)}"
    frame = Frame(
        collection,
        trail=(HOME,),
        cli=f"opsloop rag list {shlex.quote(collection)}",
        json=f"/api/collections/{words.segment(collection)}/documents",
    )
    return page(
        request,
        "documents.html",
        frame,
        documents=found,
        stats=service.stats(uow, collection),
        collection=collection,
        here=here,
        after=after,
        older=f"{here}?after={words.segment(found[-1].id)}" if len(found) == DOCUMENTS else None,
        now=uow.clock.now(),
    )


@router.get("/documents/{collection}/{document}")
def document(
    request: Request,
    uow: Reading,
    collection: str,
    document: str,
    start: Annotated[int, Query(ge=0, le=2**31)] = 0,
    end: Annotated[int, Query(ge=0, le=2**31)] = 0,
) -> Response:
    """The text; characters `start` to `end` are marked."""
    found = service.document(uow, collection, document)
    text = service.document_text(uow, collection, document)
    begin = max(0, start - MAX_TEXT // 2)
    shown = text[begin : begin + MAX_TEXT]
    low, high = max(start - begin, 0), max(end - begin, 0)
    frame = Frame(
        found.filename,
        trail=(HOME, Place(collection, f"/documents/{words.segment(collection)}")),
        json=f"/api/collections/{words.segment(collection)}/documents/{words.segment(document)}",
    )
    return page(
        request,
        "document.html",
        frame,
        document=found,
        before=shown[:low] if high > low else shown,
        marked=shown[low:high] if high > low else "",
        after=shown[high:] if high > low else "",
        is_cut=len(shown) < len(text),
        now=uow.clock.now(),
    )
