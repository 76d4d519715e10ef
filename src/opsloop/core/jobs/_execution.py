"""Run one job to its end, whatever engine called: the state changes of a job are here and nowhere else."""

from __future__ import annotations

import threading
from contextlib import suppress

import structlog
from sqlalchemy import ColumnElement, select

from opsloop.core.caller import system
from opsloop.core.errors import OpsloopError, Unavailable
from opsloop.core.jobs._tables import JobRow
from opsloop.core.jobs.events import JobFailed
from opsloop.core.jobs.models import JobStatus
from opsloop.core.jobs.registry import Again, JobContext, handler_of
from opsloop.core.workspace import UnitOfWork, Workspace

log = structlog.get_logger()
PROGRESS_EVERY_S = 0.25
_BY = system("jobs")


class Cancelled(Exception):
    pass


def execute(workspace: Workspace, job_id: str, *, stopping: threading.Event) -> None:
    """Run a job that was claimed; afterwards it is done, failed, cancelled, or pending again.

    It stays running only when the database is away and the process drains: the next start goes on with it.
    """
    context = JobContext(workspace, job_id, stopping=stopping, progress=_Progress(workspace, job_id))
    with suppress(Again):
        row = context.patiently(lambda: _found(workspace, job_id))
        if row is None or JobStatus(row.status).is_final:
            return
        ended = _handled(context, row)
        if ended is not None:
            status, error = ended
            context.patiently(lambda: _finish(workspace, job_id, status, error))


def _found(workspace: Workspace, job_id: str) -> JobRow | None:
    with workspace.reading(_BY) as uow:
        return uow.session.get(JobRow, job_id)


def _handled(context: JobContext, row: JobRow) -> tuple[JobStatus, str | None] | None:
    """Let the handler work; how the job ended and why, None when it was cancelled and says so already."""
    try:
        context.yield_back()
        handler_of(row.kind)(context, row.payload)
    except Again:
        return JobStatus.PENDING, None
    except Cancelled:
        log.info("job_cancelled", job=row.id, kind=row.kind)
        return None
    except OpsloopError as error:
        log.warning("job_failed", job=row.id, kind=row.kind, error=error.sentence)
        return JobStatus.FAILED, error.sentence
    except Exception as error:  # a process rim: one job must not stop the worker
        log.exception("job_failed", job=row.id, kind=row.kind)
        return JobStatus.FAILED, f"{type(error).__name__}: {error}"
    return JobStatus.DONE, None


def claim_due(workspace: Workspace, *, limit: int = 20, kind: str | None = None) -> list[tuple[str, int]]:
    """Mark due jobs as running and return their ids and attempt numbers; each is claimed by one process."""
    with workspace.writing(_BY) as uow:
        query = (
            select(JobRow)
            .where(JobRow.status == JobStatus.PENDING, _is_due(uow))
            .order_by(JobRow.created_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        if kind is not None:
            query = query.where(JobRow.kind == kind)
        claimed = []
        for row in uow.session.scalars(query):
            row.status = JobStatus.RUNNING
            row.attempt += 1
            row.started_at = row.started_at or uow.clock.now()
            claimed.append((row.id, row.attempt))
        return claimed


def any_due(workspace: Workspace) -> bool:
    with workspace.reading(_BY) as uow:
        query = select(JobRow.id).where(JobRow.status == JobStatus.PENDING, _is_due(uow))
        return uow.session.scalar(query.limit(1)) is not None


def _is_due(uow: UnitOfWork) -> ColumnElement[bool]:
    return JobRow.run_after.is_(None) | (JobRow.run_after <= uow.clock.now())


def claim_running(workspace: Workspace) -> list[tuple[str, int]]:
    """Jobs that the process before this one left running, each as a new attempt: the engine runs none twice."""
    query = select(JobRow).where(JobRow.status == JobStatus.RUNNING)
    with workspace.reading(_BY) as uow:
        if uow.session.scalar(query.limit(1)) is None:
            return []
    with workspace.writing(_BY) as uow:
        rows = uow.session.scalars(query.order_by(JobRow.created_at).with_for_update()).all()
        for row in rows:
            row.attempt += 1
        return [(row.id, row.attempt) for row in rows]


def _finish(workspace: Workspace, job_id: str, status: JobStatus, error: str | None) -> None:
    with workspace.writing(_BY) as uow:
        row = uow.session.get_one(JobRow, job_id)
        if JobStatus(row.status).is_final:
            return
        row.status, row.error = status, error
        row.finished_at = uow.clock.now() if status.is_final else None
        if status is JobStatus.DONE and row.total:
            row.done = row.total
        if status is JobStatus.FAILED:
            uow.emit(JobFailed(job_id, row.kind, row.payload, error or ""))
    workspace.bell("job-progress").ring()


class _Progress:
    """Writes progress at most every quarter of a second; raises Cancelled when the job was cancelled meanwhile."""

    def __init__(self, workspace: Workspace, job_id: str) -> None:
        self._workspace = workspace
        self._job_id = job_id
        self._last_s = float("-inf")

    def __call__(self, done: int, total: int, message: str) -> None:
        now_s = self._workspace.clock.monotonic_s()
        if now_s - self._last_s < PROGRESS_EVERY_S and done != total:
            return
        self._last_s = now_s
        try:
            self._write(done, total, message)
        except Unavailable as error:  # how far a job is must not end it; the next report tells
            log.debug("job_progress_not_stored", job=self._job_id, error=error.sentence)
            return
        self._workspace.bell("job-progress").ring()

    def _write(self, done: int, total: int, message: str) -> None:
        with self._workspace.writing(_BY) as uow:
            row = uow.session.get_one(JobRow, self._job_id)
            if row.status == JobStatus.CANCELLED:
                raise Cancelled
            row.done, row.total, row.message = done, total, message
