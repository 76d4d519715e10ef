"""A job that failed is over when the next one for the same work was done."""

from __future__ import annotations

from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.models import JobStatus
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.intake import working
from opsloop.incidents.intake.ending import Ending
from opsloop.incidents.models import Signal

LOOKED_AT = 100


def _why(uow: UnitOfWork, signal: Signal) -> str | None:
    kind, about = signal.subject.labels.get("job"), signal.subject.labels.get("about")
    if not kind or not about:
        return None
    for job in jobs.listed(uow, kind=kind, limit=LOOKED_AT):
        is_done = job.status is JobStatus.DONE and job.finished_at is not None and job.finished_at > signal.seen_at
        if is_done and working.about(uow, kind, job.payload) == about:
            return f"job {job.id} did it for {about}"
    return None


ENDING = Ending(("job",), _why)
