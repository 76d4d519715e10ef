"""Run one job to its end, whatever engine called: the state changes of a job are here and nowhere else."""

from __future__ import annotations

import threading

import structlog
from sqlalchemy import ColumnElement, select

from opsloop.core.caller import system
from opsloop.core.errors import OpsloopError
from opsloop.core.jobs._tables import JobRow
from opsloop.core.jobs.models import JobStatus
from opsloop.core.jobs.registry import Again, JobContext, handler_of
from opsloop.core.workspace import UnitOfWork, Workspace

log = structlog.get_logger()
PROGRESS_EVERY_S = 0.25
_BY = system("jobs")


class Cancelled(Exception):
    pass


def execute(workspace: Workspace, job_id: str, *, stopping: threading.Event) -> None:
    """Run a job that was claimed; afterwards it is done, failed, cancelled, or pending again."""
    with workspace.reading(_BY) as uow:
        row = uow.session.get(JobRow, job_id)
    if row is None or JobStatus(row.status).is_final:
        return
    context = JobContext(workspace, job_id, stopping=stopping, progress=_Progress(workspace, job_id))
    try:
        context.yield_back()
        handler_of(row.kind)(context, row.payload)
    except Again:
        _finish(workspace, job_id, JobStatus.PENDING, None)
    except Cancelled:
        log.info("job_cancelled", job=job_id, kind=row.kind)
    except OpsloopError as error:
        log.warning("job_failed", job=job_id, kind=row.kind, error=error.sentence)
        _finish(workspace, job_id, JobStatus.FAILED, error.sentence)
    except Exception as error:  # a process rim: one job must not stop the worker
        log.exception("job_failed", job=job_id, kind=row.kind)
        _finish(workspace, job_id, JobStatus.FAILED, f"{type(error).__name__}: {error}")
    else:
        _finish(workspace, job_id, JobStatus.DONE, None)


def claim_due(workspace: Workspace, *, limit: int = 20) -> list[tuple[str, int]]:
    """Mark due jobs as running and return their ids and attempt numbers; each is claimed by one process."""
    with workspace.writing(_BY) as uow:
        query = (
            select(JobRow)
            .where(JobRow.status == JobStatus.PENDING, _is_due(uow))
            .order_by(JobRow.created_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
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


def running(workspace: Workspace) -> list[tuple[str, int]]:
    with workspace.reading(_BY) as uow:
        query = select(JobRow.id, JobRow.attempt).where(JobRow.status == JobStatus.RUNNING)
        return [(job_id, attempt) for job_id, attempt in uow.session.execute(query)]


def _finish(workspace: Workspace, job_id: str, status: JobStatus, error: str | None) -> None:
    with workspace.writing(_BY) as uow:
        row = uow.session.get_one(JobRow, job_id)
        if JobStatus(row.status).is_final:
            return
        row.status, row.error = status, error
        row.finished_at = uow.clock.now() if status.is_final else None
        if status is JobStatus.DONE and row.total:
            row.done = row.total
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
        with self._workspace.writing(_BY) as uow:
            row = uow.session.get_one(JobRow, self._job_id)
            if row.status == JobStatus.CANCELLED:
                raise Cancelled
            row.done, row.total, row.message = done, total, message
        self._workspace.bell("job-progress").ring()
