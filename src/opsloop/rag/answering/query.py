"""A question answered by quoting, within a transaction."""

from __future__ import annotations

from dataclasses import replace

from opsloop.core.workspace import UnitOfWork
from opsloop.rag import spans
from opsloop.rag.answering import quoting
from opsloop.rag.answering.thresholds import min_support
from opsloop.rag.models import Answer
from opsloop.rag.searching.service import DEFAULT_TOP_K, Filters, find


def query(
    uow: UnitOfWork,
    collection: str,
    question: str,
    *,
    top_k: int = DEFAULT_TOP_K,
    filters: Filters | None = None,
) -> Answer:
    """An answer made of exact quotations, or an abstention when the documents support none.

    Raises: InvalidInput, CollectionMissing, ExtraNeeded.
    """
    found = find(uow, collection, question, top_k=top_k, filters=filters)
    least = min_support(uow, collection)
    with spans.answer(collection) as span:
        answer = quoting.answer(question, found.passages, min_support=least)
        spans.tell_answer(span, answer)
    return replace(answer, note=found.note)
