"""Ask for work, look how far it is, stop it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.errors import Conflict, NotFound, OpsloopError
from opsloop.core.jobs._tables import JobRow
from opsloop.core.jobs.events import JobCancelled
from opsloop.core.jobs.models import Job, JobId, JobStatus
from opsloop.core.workspace import UnitOfWork


class JobIsOver(Conflict):
    template = "job {job} is {status} already"


def enqueue(
    uow: UnitOfWork, kind: str, payload: dict[str, Any], *, id: str | None = None, run_after: datetime | None = None
) -> Job:
    """A new job, started once this transaction is committed.

    Args:
        id: an id of the caller's choice; a job that exists under it is returned as it is, so that asking twice for the
            same work gives one job.
        run_after: earliest start.
    """
    if id is not None and (existing := uow.session.get(JobRow, id)) is not None:
        return _job(existing)
    now = uow.clock.now()
    row = JobRow(
        id=id or uow.ids.new("job"),
        kind=kind,
        payload=payload,
        status=JobStatus.PENDING,
        attempt=0,
        done=0,
        total=0,
        message="",
        created_by=uow.by.name,
        created_at=now,
        run_after=run_after,
    )
    uow.session.add(row)
    uow.ring("jobs")
    return _job(row)


def get(uow: UnitOfWork, job_id: str) -> Job:
    uow.by.require(Role.VIEWER)
    row = uow.session.get(JobRow, job_id)
    if row is None:
        raise NotFound(noun="job", name=job_id)
    return _job(row)


def listed(uow: UnitOfWork, *, kind: str | None = None, limit: int = 100) -> list[Job]:
    """The newest jobs first."""
    uow.by.require(Role.VIEWER)
    query = select(JobRow).order_by(JobRow.created_at.desc(), JobRow.id.desc()).limit(min(limit, 1_000))
    if kind is not None:
        query = query.where(JobRow.kind == kind)
    return [_job(row) for row in uow.session.scalars(query)]


def cancel(uow: UnitOfWork, job_id: str) -> Job:
    """Stop a job: a pending one never starts, a running one sees it at its next report of progress."""
    uow.by.require(Role.OPERATOR)
    row = uow.session.get(JobRow, job_id)
    if row is None:
        raise NotFound(noun="job", name=job_id)
    if JobStatus(row.status).is_final:
        raise JobIsOver(job=job_id, status=row.status)
    row.status = JobStatus.CANCELLED
    row.finished_at = uow.clock.now()
    uow.audit("job.cancelled", f"job/{job_id}", kind=row.kind)
    uow.emit(JobCancelled(job_id, row.kind, row.payload, uow.by.name))
    return _job(row)


def why_ended(uow: UnitOfWork, job_id: str, error: Exception) -> str:
    """What to keep with the work of a job that an error ended, as a sentence. Raises: as `get`."""
    if get(uow, job_id).status is JobStatus.CANCELLED:
        return "it was cancelled"
    said = error.sentence if isinstance(error, OpsloopError) else f"{type(error).__name__}: {error}"
    return said.replace("\0", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL stores no zero character


def _job(row: JobRow) -> Job:
    return Job(
        id=JobId(row.id),
        kind=row.kind,
        payload=row.payload,
        status=JobStatus(row.status),
        done=row.done,
        total=row.total,
        message=row.message,
        error=row.error,
        created_by=row.created_by,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
