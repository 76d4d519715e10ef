"""Store the documents of an ingest, as a durable job that may begin again after a crash.

Documents are stored in batches, because a transaction costs more than a document. A batch is there whole or not at all,
and so is each document in it, with its chunks, terms and vectors, the state of its item and its audit record. What
still says `waiting` is what a new attempt goes on with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import select

from opsloop.core.artifacts.store import ArtifactMissing
from opsloop.core.caller import Caller, Role, system
from opsloop.core.compute.settings import ComputeSettings
from opsloop.core.errors import InvalidInput
from opsloop.core.events.outbox import subscriber
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.events import JobCancelled
from opsloop.core.jobs.registry import Again, JobContext, job
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.rag._rows import collection_row
from opsloop.rag.documents.storing import Ready, store
from opsloop.rag.ingests import staging
from opsloop.rag.ingests._tables import IngestRow, ItemRow
from opsloop.rag.ingests.choice import readers_for
from opsloop.rag.ingests.models import ItemState
from opsloop.rag.ingests.readers import Outcome, Readers, Refusal, Unread
from opsloop.rag.ingests.service import KIND

_BY = system("ingests")
BATCH = 50
BATCH_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class _Part:
    """The documents of an ingest that one request brought: numbers from `first` on, `count` of them."""

    ingest: str
    first: int
    count: int

    @property
    def numbers(self) -> range:
        return range(self.first, self.first + self.count)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A document that waits, as its row says."""

    number: int
    filename: str
    sha256: str
    size_bytes: int
    metadata: Mapping[str, str]


@job(KIND)
def store_all(context: JobContext, payload: dict[str, Any]) -> None:
    """Store what waits of one request's documents."""
    part = _Part(**payload)
    try:
        _store_all(context, part)
    except Again:
        raise
    except Exception as error:  # whatever ended the job ended the waiting too; the job's rim logs it
        ended = error
        context.patiently(lambda: _give_up(context, part, ended))
        raise


def _store_all(context: JobContext, part: _Part) -> None:
    found = context.patiently(lambda: _waiting(context.workspace, part))
    if found is None:
        return
    by, chunking, waiting = found
    if not waiting:
        return
    with readers_for(context.workspace.section(ComputeSettings), len(waiting)) as readers:
        _store_waiting(context, part, by, chunking, waiting, readers)


def _store_waiting(
    context: JobContext, part: _Part, by: Caller, chunking: str, waiting: Sequence[_Waiting], readers: Readers
) -> None:
    done = part.count - len(waiting)
    for batch in _batches(waiting):
        context.yield_back()
        outcomes = _outcomes(context.workspace, part, chunking, batch, readers)
        context.patiently(partial(_keep, context.workspace, by, part, batch, outcomes))
        staging.let_go(context.workspace.artifacts, part.ingest, [each.number for each in batch])
        done += len(batch)
        context.progress(done, part.count, batch[-1].filename)


def _waiting(workspace: Workspace, part: _Part) -> tuple[Caller, str, list[_Waiting]] | None:
    """Who sent the documents, how their collection cuts texts, what waits; None when the collection was deleted.

    Whether the sender may change the collection was looked at when the documents came.
    """
    with workspace.reading(_BY) as uow:
        row = uow.session.get(IngestRow, part.ingest)
        if row is None:
            return None
        chunking = collection_row(uow, row.collection).chunking
        waiting = [
            _Waiting(each.number, each.filename, each.sha256, each.size_bytes, each.metadata_)
            for each in _waiting_rows(uow, part, part.numbers)
        ]
    return Caller(row.created_by, Role.ADMIN), chunking, waiting


def _waiting_rows(uow: UnitOfWork, part: _Part, numbers: Sequence[int]) -> list[ItemRow]:
    query = (
        select(ItemRow)
        .where(ItemRow.ingest == part.ingest, ItemRow.state == ItemState.WAITING)
        .where(ItemRow.number.between(numbers[0], numbers[-1]))
        .order_by(ItemRow.number)
    )
    return list(uow.session.scalars(query))


def _batches(waiting: Sequence[_Waiting]) -> Iterator[list[_Waiting]]:
    """At most BATCH documents and about BATCH_BYTES each."""
    batch: list[_Waiting] = []
    size_bytes = 0
    for each in waiting:
        if batch and (len(batch) == BATCH or size_bytes + each.size_bytes > BATCH_BYTES):
            yield batch
            batch, size_bytes = [], 0
        batch.append(each)
        size_bytes += each.size_bytes
    if batch:
        yield batch


def _outcomes(
    workspace: Workspace, part: _Part, chunking: str, batch: Sequence[_Waiting], readers: Readers
) -> dict[int, Outcome]:
    """What came of reading each document, by its number."""
    outcomes: dict[int, Outcome] = {}
    unread: dict[int, Unread] = {}
    for each in batch:
        try:
            data = workspace.artifacts.get(staging.key(part.ingest, each.number))
        except ArtifactMissing:  # withdrawn meanwhile, or lost
            outcomes[each.number] = Refusal(f"{each.filename}: its bytes are gone; upload it again")
            continue
        unread[each.number] = Unread(each.filename, data, chunking)
    return outcomes | dict(zip(unread, readers.read_all(list(unread.values())), strict=True))


def _keep(
    workspace: Workspace, by: Caller, part: _Part, batch: Sequence[_Waiting], outcomes: Mapping[int, Outcome]
) -> None:
    """Store a batch; when the database refuses something in it, each document by itself."""
    try:
        _store(workspace, by, part, batch, outcomes)
    except InvalidInput as error:
        if len(batch) == 1:
            [only] = batch
            _store(workspace, by, part, batch, {only.number: Refusal(f"{only.filename}: {error.sentence}")})
            return
        for each in batch:
            _keep(workspace, by, part, [each], outcomes)


def _store(
    workspace: Workspace, by: Caller, part: _Part, batch: Sequence[_Waiting], outcomes: Mapping[int, Outcome]
) -> None:
    with workspace.writing(by) as uow:
        ingest = uow.session.get(IngestRow, part.ingest)
        if ingest is None:  # the collection was deleted
            return
        collection = collection_row(uow, ingest.collection, for_change=True)
        numbers = {each.number for each in batch}
        rows = [row for row in _waiting_rows(uow, part, sorted(numbers)) if row.number in numbers]
        ready: list[tuple[ItemRow, Ready]] = []
        for row in rows:
            outcome = outcomes[row.number]
            if isinstance(outcome, Refusal):
                row.state, row.reason = ItemState.REFUSED, outcome.reason
            else:
                ready.append((row, Ready(outcome, row.sha256, row.metadata_)))
        uploaded = store(uow, collection, [each for _, each in ready])
        for (row, _), one in zip(ready, uploaded, strict=True):
            row.state = ItemState.DUPLICATE if one.duplicate else ItemState.STORED
            row.document_id = one.document_id


def _give_up(context: JobContext, part: _Part, error: Exception) -> None:
    with context.workspace.writing(_BY) as uow:
        _refuse_waiting(uow, part, jobs.why_ended(uow, context.job_id, error))
    staging.let_go(context.workspace.artifacts, part.ingest, part.numbers)


def _refuse_waiting(uow: UnitOfWork, part: _Part, reason: str) -> None:
    for row in _waiting_rows(uow, part, part.numbers):
        row.state, row.reason = ItemState.REFUSED, f"not stored: {reason}"


@subscriber(JobCancelled, "ingests")
def on_cancelled(uow: UnitOfWork, event: JobCancelled) -> None:
    """What waits is refused with its job, also when that had not begun; the bytes go with the next sweep."""
    if event.kind == KIND:
        _refuse_waiting(uow, _Part(**event.payload), f"cancelled by {event.by}")
