"""A run ends with its job, also when the job was cancelled by somebody who did not know its run."""

from __future__ import annotations

from opsloop.core.events.outbox import subscriber
from opsloop.core.jobs.events import JobCancelled
from opsloop.core.workspace import UnitOfWork
from opsloop.training import service, telling
from opsloop.training.models import TrainingStatus


@subscriber(JobCancelled, "training")
def on_cancelled(uow: UnitOfWork, event: JobCancelled) -> None:
    if event.kind != service.KIND:
        return
    row = service.row_of_job(uow, event.job)
    if row is None or TrainingStatus(row.status).is_final:
        return
    service.end_badly(uow, row, TrainingStatus.CANCELLED, f"cancelled by {event.by}")
    uow.session.flush()
    telling.tell(uow, service.run(uow, row.id), row.declared)
