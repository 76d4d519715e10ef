"""Ask for a tuning, look how far it is and what came of it."""

from __future__ import annotations

from dataclasses import asdict

import msgspec
from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import service as datasets
from opsloop.evaluation.tuning._tables import TuningRow
from opsloop.evaluation.tuning.models import Tuned, Tuning, TuningId
from opsloop.evaluation.tuning.questions import halves, questions_of
from opsloop.rag import collections
from opsloop.rag import service as rag

KIND = "evaluation.tuning"
KNOWN_BY = ("passage_id", "filename", "document_id")
MOST_ROWS = 100_000


class TuningMissing(NotFound):
    template = "collection {collection} has no tuning {tuning}; see `opsloop rag tunings {collection}`"


def start(uow: UnitOfWork, collection: str, dataset: str, *, by: str, apply: bool) -> Tuning:
    """Ask for a job that tries settings on a copy of a collection; what cannot be tuned is told at once.

    Args:
        by: what the dataset calls passages by, one of `KNOWN_BY`.
        apply: whether the job sets what it chose, and cuts the documents so.
    Raises: InvalidInput, CollectionMissing, CollectionClosed, DatasetMissing.
    """
    uow.by.require(Role.DEVELOPER)
    if by not in KNOWN_BY:
        raise InvalidInput(field="by", value=by, wanted=" or ".join(KNOWN_BY))
    if apply:
        collections.changeable(uow, collection)
    if not rag.list_documents(uow, collection, limit=1):
        raise InvalidInput(field="collection", value=collection, wanted="a collection that holds documents")
    version = datasets.get(uow, dataset)
    halves(questions_of(datasets.rows(uow, version, limit=MOST_ROWS), version.ref), version.ref)
    id = uow.ids.new("tuning")
    row = TuningRow(
        id=id,
        collection=collection,
        dataset=version.ref,
        known_by=by,
        applies=apply,
        tuned=None,
        created_at=uow.clock.now(),
        created_by=uow.by.name,
    )
    uow.session.add(row)
    jobs.enqueue(uow, KIND, {"tuning": id}, id=id)
    uow.audit("tuning.started", f"collection/{collection}", tuning=id, dataset=version.ref, apply=apply)
    uow.session.flush()
    return _told(uow, row)


def get(uow: UnitOfWork, collection: str, tuning: str) -> Tuning:
    """Raises: CollectionMissing, TuningMissing."""
    uow.by.require(Role.VIEWER)
    rag.collection(uow, collection)
    row = uow.session.get(TuningRow, tuning)
    if row is None or row.collection != collection:
        raise TuningMissing(collection=collection, tuning=tuning)
    return _told(uow, row)


def listed(uow: UnitOfWork, collection: str, *, limit: int = 100) -> list[Tuning]:
    """The newest first. Raises: CollectionMissing."""
    uow.by.require(Role.VIEWER)
    rag.collection(uow, collection)
    rows = select(TuningRow).where(TuningRow.collection == collection).order_by(TuningRow.id.desc())
    return [_told(uow, row) for row in uow.session.scalars(rows.limit(max(1, min(limit, 1_000))))]


def keep(uow: UnitOfWork, tuning: str, tuned: Tuned) -> None:
    """Store what came out."""
    row = uow.session.get(TuningRow, tuning)
    if row is not None:
        row.tuned = asdict(tuned)


def _told(uow: UnitOfWork, row: TuningRow) -> Tuning:
    job = jobs.get(uow, row.id)
    return Tuning(
        id=TuningId(row.id),
        collection=row.collection,
        dataset=row.dataset,
        by=row.known_by,
        apply=row.applies,
        status=job.status,
        done=job.done,
        total=job.total,
        message=job.message,
        tuned=None if row.tuned is None else msgspec.convert(row.tuned, Tuned),
        error=job.error,
        created_at=row.created_at,
        created_by=row.created_by,
        finished_at=job.finished_at,
    )
