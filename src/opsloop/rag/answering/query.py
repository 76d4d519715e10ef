"""A question answered by quoting, within a transaction."""

from __future__ import annotations

from opsloop.core.workspace import UnitOfWork
from opsloop.rag.answering import quoting
from opsloop.rag.answering.thresholds import min_support
from opsloop.rag.models import Answer
from opsloop.rag.searching.service import DEFAULT_TOP_K, Filters, search


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
    passages = search(uow, collection, question, top_k=top_k, filters=filters)
    return quoting.answer(question, passages, min_support=min_support(uow, collection))
