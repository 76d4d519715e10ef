"""`/documents/{collection}/answers` and `…/passages`: a question, answered with numbered quotes or looked up."""

from __future__ import annotations

import shlex
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from opsloop.console import marking, words
from opsloop.console.page import Frame, Place, page
from opsloop.console.page_router import PageRouter
from opsloop.console.pages.documents import HOME, address
from opsloop.core.web.dependencies import Asking, Opened, Reading
from opsloop.rag import service
from opsloop.rag.answering import asking
from opsloop.rag.answering.asking import Asked
from opsloop.rag.models import CollectionStats, Passage

router = PageRouter()
Question = Annotated[str, Query(max_length=service.MAX_QUESTION)]


@router.get("/documents/{collection}/answers")
async def answered(
    request: Request, workspace: Opened, caller: Asking, collection: str, question: Question = ""
) -> Response:
    asked = question.strip()

    def known() -> CollectionStats:
        with workspace.reading(caller) as uow:
            return service.stats(uow, collection)

    stats = await run_in_threadpool(known)
    answer = await asking.ask(workspace, caller, Asked(asked, collection)) if asked and stats.documents else None
    marked = marking.numbered(answer.answer, [each.quote for each in answer.citations]) if answer else []
    return page(
        request,
        "documents_answer.html",
        _frame(collection, "Ask", f"opsloop rag query {shlex.quote(collection)} {shlex.quote(asked)}"),
        collection=collection,
        here=address(collection),
        question=asked,
        stats=stats,
        answer=answer,
        marked=marked,
    )


@router.get("/documents/{collection}/passages")
def looked_up(
    request: Request,
    uow: Reading,
    collection: str,
    question: Question = "",
    most: Annotated[int, Query(ge=1, le=service.MAX_TOP_K)] = 10,
) -> Response:
    asked = question.strip()
    stats = service.stats(uow, collection)
    passages = service.search(uow, collection, asked, top_k=most) if asked and stats.documents else []
    return page(
        request,
        "documents_passages.html",
        _frame(collection, "Find passages", f"opsloop rag search {shlex.quote(collection)} {shlex.quote(asked)}"),
        collection=collection,
        here=address(collection),
        question=asked,
        stats=stats,
        passages=passages,
        excerpt=excerpt,
        most=most,
        most_of_all=service.MAX_TOP_K,
    )


def excerpt(passage: Passage, question: str) -> list[marking.Piece]:
    """The part of a passage that matched best, with the question's words marked."""
    start, end = passage.window_start - passage.start, passage.window_end - passage.start
    found = marking.matches(passage.text[start:end], question)
    before = [marking.Piece("… ")] if start > 0 else []
    return [*before, *found, *([marking.Piece(" …")] if end < len(passage.text) else [])]


def _frame(collection: str, title: str, cli: str) -> Frame:
    return Frame(
        title,
        trail=(HOME, Place(collection, address(collection))),
        cli=cli,
        json=f"/api/collections/{words.segment(collection)}",
    )
