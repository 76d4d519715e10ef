"""Which collections a piece of work read, and whether they are what they were: for whoever keeps what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import select

from opsloop.core.workspace import UnitOfWork
from opsloop.rag._tables import CollectionRow

_read: ContextVar[dict[str, str] | None] = ContextVar("collections_read", default=None)
NOT_THERE = ""
DIFFERED = "?"
"""Of a collection that changed while it was read: it is never what it was."""


@contextmanager
def noting() -> Iterator[dict[str, str]]:
    """Collections that are read inside, in threads that copy its context too, each with the content that it had."""
    found: dict[str, str] = {}
    before = _read.get()
    _read.set(found)
    try:
        yield found
    finally:
        _read.set(before)  # no token: a stream may be closed in another context than it was begun in


def note(uow: UnitOfWork, collection: str) -> None:
    """Say that this transaction reads a collection."""
    found = _read.get()
    if found is not None:
        version = contents(uow, [collection]).get(collection, NOT_THERE)
        found[collection] = version if found.get(collection, version) == version else DIFFERED


def are_as_they_were(uow: UnitOfWork, read: Mapping[str, str]) -> bool:
    now = contents(uow, list(read))
    return all(now.get(collection, NOT_THERE) == version for collection, version in read.items())


def contents(uow: UnitOfWork, collections: list[str]) -> dict[str, str]:
    """What names the content of each collection that is there."""
    rows = uow.session.execute(
        select(CollectionRow.name, CollectionRow.version).where(CollectionRow.name.in_(collections))
    )
    return {row.name: row.version for row in rows}
