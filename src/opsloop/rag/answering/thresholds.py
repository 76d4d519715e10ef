"""From how much support on a collection's questions are answered."""

from __future__ import annotations

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.rag._rows import as_collection, collection_row
from opsloop.rag.answering.quoting import MIN_SUPPORT
from opsloop.rag.models import Collection


def min_support(uow: UnitOfWork, collection: str) -> float:
    """Probability below which questions are not answered, 0-1: the collection's own or the usual one.

    Raises: CollectionMissing.
    """
    uow.by.require(Role.VIEWER)
    own = collection_row(uow, collection).min_support
    return MIN_SUPPORT if own is None else own


def abstain_below(uow: UnitOfWork, collection: str, min_support: float | None) -> Collection:
    """Set a collection's own; None: the usual one. Raises: InvalidInput, CollectionMissing."""
    uow.by.require(Role.DEVELOPER)
    if min_support is not None and not 0 <= min_support <= 1:
        raise InvalidInput(field="min_support", value=min_support, wanted="a number from 0 to 1")
    row = collection_row(uow, collection, for_change=True)
    row.min_support = min_support
    uow.session.flush()
    uow.audit("collection.threshold_set", f"collection/{collection}", min_support=min_support)
    return as_collection(row)
