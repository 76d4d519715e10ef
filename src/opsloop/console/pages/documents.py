"""`/documents` and `/documents/{collection}`: what is kept, the way in for more, and what goes when it is deleted."""

from __future__ import annotations

import shlex
from typing import Annotated

from fastapi import Form, Query, Request
from fastapi.responses import Response

from opsloop.console import words
from opsloop.console.page import Frame, Place, page, see_other
from opsloop.console.page_router import PageRouter
from opsloop.core.caller import Role
from opsloop.core.errors import Conflict
from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.workspace import UnitOfWork
from opsloop.rag import service
from opsloop.rag.collections import DEFAULT_CHUNKING
from opsloop.rag.documents import listing
from opsloop.rag.documents.listing import Look, Sort
from opsloop.rag.settings import RagSettings
from opsloop.rag.text.chunk import CHUNKINGS

router = PageRouter()
HOME = Place("Documents", "/documents")


class ChangedMeanwhile(Conflict):
    template = (
        "collection {collection} holds {now} documents now and held {before} when the page was shown; "
        "look at it again, then decide"
    )


def address(collection: str, document: str = "") -> str:
    """Of a collection's page, or of one of its documents."""
    at = f"/documents/{words.segment(collection)}"
    return f"{at}/{words.segment(document)}" if document else at


@router.get("/documents")
def collections(request: Request, uow: Reading) -> Response:
    frame = Frame("Documents", cli="opsloop rag list", json="/api/collections")
    shelves = listing.shelves(uow)
    return page(
        request,
        "collections.html",
        frame,
        shelves=shelves,
        chunkings=CHUNKINGS,
        usual_chunking=DEFAULT_CHUNKING,
        now=uow.clock.now(),
    )


@router.post("/documents")
def created(
    uow: Writing,
    name: Annotated[str, Form(max_length=200)],
    chunking: Annotated[str, Form(max_length=50)],
    embedder: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """An empty `embedder` stands for the one that is set."""
    made = service.create_collection(uow, name.strip(), chunking=chunking, embedder=embedder.strip() or None)
    return see_other(f"{address(made.name)}#upload")


@router.get("/documents/{collection}")
def documents(
    request: Request,
    uow: Reading,
    collection: str,
    q: Annotated[str, Query(max_length=200)] = "",
    sort: Sort = "uploaded",
    direction: Annotated[str, Query(alias="dir", pattern="^(asc|desc)$")] = "desc",
    number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
    deleted: Annotated[str, Query(max_length=300)] = "",
) -> Response:
    wanted = Look(q.strip(), sort, direction == "desc", number)
    stats = service.stats(uow, collection)
    known = service.collection(uow, collection)
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
        seen=listing.look(uow, collection, wanted),
        wanted=wanted,
        sort_link=_sort_link,
        page_link=_page_link,
        stats=stats,
        known=known,
        vector_share=listing.vector_share(known, stats),
        collection=collection,
        here=address(collection),
        limit_bytes=_limit_bytes(uow),
        deleted=deleted,
        now=uow.clock.now(),
    )


def _limit_bytes(uow: UnitOfWork) -> int:
    return uow.workspace.section(RagSettings).rag_document_limit_bytes


def _sort_link(wanted: Look, column: Sort) -> str:
    """The list in the order of a column: the other way round when it is in that order already."""
    first_up = column == "name"
    descending = not wanted.descending if wanted.sort == column else not first_up
    return f"?q={words.segment(wanted.text)}&sort={column}&dir={'desc' if descending else 'asc'}"


def _page_link(wanted: Look) -> str:
    direction = "desc" if wanted.descending else "asc"
    return f"?q={words.segment(wanted.text)}&sort={wanted.sort}&dir={direction}&"


@router.get("/documents/{collection}/delete")
def asked_to_delete(request: Request, uow: Reading, collection: str) -> Response:
    """What goes with a collection, and the form that deletes it."""
    uow.by.require(Role.DEVELOPER)
    here = address(collection)
    frame = Frame(
        "Delete the collection?",
        trail=(HOME, Place(collection, here)),
        cli=f"opsloop rag delete {shlex.quote(collection)} --all",
        json=f"/api/collections/{words.segment(collection)}",
    )
    stats = service.stats(uow, collection)
    return page(request, "documents_delete.html", frame, stats=stats, document=None, collection=collection, here=here)


@router.post("/documents/{collection}/delete")
def deleted(uow: Writing, collection: str, documents: Annotated[int, Form(ge=0)]) -> Response:
    """Delete it, if it still holds as many documents as the page said."""
    uow.by.require(Role.DEVELOPER)
    now = service.stats(uow, collection).documents
    if now != documents:
        raise ChangedMeanwhile(collection=collection, now=now, before=documents)
    service.delete_collection(uow, collection)
    return see_other(HOME.href)
