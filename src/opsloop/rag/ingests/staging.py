"""Bytes of documents that wait, in the artifact store: one blob each, gone as soon as the document waits no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from sqlalchemy import Select, select

from opsloop.core.artifacts.store import Artifacts
from opsloop.core.caller import system
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.rag.ingests._tables import IngestRow, ItemRow
from opsloop.rag.ingests.models import ItemState

PREFIX = "ingests"
RECEIVED_WITHIN = timedelta(days=1)
"""Bytes without a row belong to a request that is being received, or to one that was cut off: after this time."""


def key(ingest: str, number: int) -> str:
    return f"{PREFIX}/{ingest}/{number}"


def let_go(store: Artifacts, ingest: str, numbers: Iterable[int]) -> None:
    for number in numbers:
        store.delete(key(ingest, number))


def waiting(uow: UnitOfWork, collection: str) -> tuple[str, ...]:
    """Keys of all bytes that wait for a collection."""
    return _keys(uow.session.scalars(_waiting_rows(collection)))


def withdraw(uow: UnitOfWork, collection: str, digests: Sequence[str]) -> tuple[str, ...]:
    """What waits and has these bytes is not stored any more: a document that is deleted must not come back by it.

    Returns: the keys of those bytes, for whoever deletes them once this is committed.
    """
    rows = uow.session.scalars(_waiting_rows(collection).where(ItemRow.sha256.in_(digests))).all()
    for row in rows:
        row.state = ItemState.REFUSED
        row.reason = "the same document was deleted before this one came to be stored"
    return _keys(rows)


def _waiting_rows(collection: str) -> Select[ItemRow]:
    return select(ItemRow).where(ItemRow.collection == collection, ItemRow.state == ItemState.WAITING)


def _keys(rows: Iterable[ItemRow]) -> tuple[str, ...]:
    return tuple(key(row.ingest, row.number) for row in rows)


def sweep(workspace: Workspace) -> int:
    """Delete bytes that no document waits for any more; returns how many."""
    with workspace.reading(system("ingests")) as uow:
        found = left_over(uow)
    for each in found:
        workspace.artifacts.delete(each)
    workspace.artifacts.tidy(f"{PREFIX}/", older_than_s=RECEIVED_WITHIN.total_seconds())
    return len(found)


def left_over(uow: UnitOfWork) -> list[str]:
    """Keys of bytes that no document waits for any more."""
    found: dict[str, set[int]] = {}
    for ingest, number in _staged(uow.artifacts):
        found.setdefault(ingest, set()).add(number)
    return [
        key(ingest, number) for ingest, numbers in found.items() for number in sorted(numbers - _wanted(uow, ingest))
    ]


def _staged(store: Artifacts) -> Iterator[tuple[str, int]]:
    for each in store.keys(f"{PREFIX}/"):
        _, ingest, number = each.split("/")
        yield ingest, int(number)


def _wanted(uow: UnitOfWork, ingest: str) -> set[int]:
    """Numbers whose bytes must stay; of an ingest that is gone, none."""
    row = uow.session.get(IngestRow, ingest)
    if row is None:
        return set()
    states = dict(uow.session.execute(select(ItemRow.number, ItemRow.state).where(ItemRow.ingest == ingest)).all())
    wanted = {number for number, state in states.items() if state == ItemState.WAITING}
    if uow.clock.now() - row.created_at < RECEIVED_WITHIN:
        wanted |= set(range(row.numbers)) - set(states)
    return wanted
