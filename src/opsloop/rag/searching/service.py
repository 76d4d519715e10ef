"""Passages that match a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.rag import spans
from opsloop.rag._engines import engine
from opsloop.rag.models import Found, Passage, Ranking
from opsloop.rag.parsing.pieces import checked_key, is_storable

DEFAULT_TOP_K = 5
MAX_TOP_K = 50
MAX_QUESTION = 4_000
MAX_FILTERS = 20
MAX_FILTER_VALUES = 1_000

Filters = Mapping[str, str | Sequence[str]]


def find(
    uow: UnitOfWork,
    collection: str,
    question: str,
    *,
    top_k: int = DEFAULT_TOP_K,
    filters: Filters | None = None,
    diversity: float = 0.0,
    ranking: Ranking = "fused",
) -> Found:
    """The chunks that match a question best, the best first; fewer than `top_k` when fewer match.

    Args:
        filters: values a document must have, by `filename`, `document_id` or a key of its metadata; of several values
            any one will do.
        diversity: 0 ranks by score alone; towards 1, chunks like better ones fall back.
        ranking: `fused` adds the scores of words and vectors, `ranks` their inverted ranks; `words` needs no embedder.
    Raises: InvalidInput, CollectionMissing, CollectionClosed, ExtraNeeded, EmbedderAway, EmbedderDiffers.
    """
    uow.by.require(Role.VIEWER)
    _check_asked(question, top_k, diversity)
    if ranking not in get_args(Ranking):
        raise InvalidInput(field="ranking", value=ranking, wanted=" or ".join(get_args(Ranking)))
    wanted = _filters(filters or {})
    with spans.retrieval(collection, top_k=top_k, system=uow.session.get_bind().dialect.name) as span:
        found: Found = engine().search(
            uow, collection, question, top_k=top_k, filters=wanted, diversity=diversity, ranking=ranking
        )
        spans.tell_found(span, found)
    return found


def search(
    uow: UnitOfWork,
    collection: str,
    question: str,
    *,
    top_k: int = DEFAULT_TOP_K,
    filters: Filters | None = None,
    diversity: float = 0.0,
    ranking: Ranking = "fused",
) -> list[Passage]:
    """The passages that `find` finds. Raises: as `find`."""
    found = find(uow, collection, question, top_k=top_k, filters=filters, diversity=diversity, ranking=ranking)
    return list(found.passages)


def _check_asked(question: str, top_k: int, diversity: float) -> None:
    if not question.strip() or len(question) > MAX_QUESTION:
        raise InvalidInput(field="question", value=question, wanted=f"a question of 1 to {MAX_QUESTION} characters")
    if not 1 <= top_k <= MAX_TOP_K:
        raise InvalidInput(field="top_k", value=top_k, wanted=f"a whole number from 1 to {MAX_TOP_K}")
    if not 0 <= diversity < 1:
        raise InvalidInput(field="diversity", value=diversity, wanted="a number from 0 up to, not including, 1")


def _filters(given: Filters) -> dict[str, list[str]]:
    """Every filter as a list of accepted values."""
    if len(given) > MAX_FILTERS:
        raise InvalidInput(field="filters", value=len(given), wanted=f"at most {MAX_FILTERS} filters")
    return {checked_key("filters", key): _values(key, value) for key, value in given.items()}


def _values(key: str, value: str | Sequence[str]) -> list[str]:
    values = [value] if isinstance(value, str) else list(value)
    if not all(isinstance(one, str) for one in values):
        raise InvalidInput(field=f"filters.{key}", value=value, wanted="text or a list of texts")
    if len(values) > MAX_FILTER_VALUES:
        raise InvalidInput(field=f"filters.{key}", value=len(values), wanted=f"at most {MAX_FILTER_VALUES:,} texts")
    # No document has what no database keeps, and PostgreSQL refuses to look for it.
    return [one for one in values if is_storable(one)]
