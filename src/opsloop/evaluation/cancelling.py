"""Runs end with their job, also when it was cancelled before it began."""

from __future__ import annotations

from opsloop.core.events.outbox import subscriber
from opsloop.core.jobs.events import JobCancelled
from opsloop.core.workspace import UnitOfWork
from opsloop.evaluation import service


@subscriber(JobCancelled, "evaluation")
def on_cancelled(uow: UnitOfWork, event: JobCancelled) -> None:
    if event.kind == service.KIND:
        for run in service.runs_of_job(event.payload):
            service.end_badly(uow, run, f"cancelled by {event.by}")
