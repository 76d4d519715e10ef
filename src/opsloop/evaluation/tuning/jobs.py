"""A tuning as a durable job: killed in the middle it begins again, for nothing is changed before its end."""

from __future__ import annotations

from typing import Any

from opsloop.core.caller import Caller, Role
from opsloop.core.jobs.registry import JobContext, job
from opsloop.evaluation.tuning import choosing, service
from opsloop.evaluation.tuning._tables import TuningRow
from opsloop.evaluation.tuning.models import Tuned


@job(service.KIND)
def tune(context: JobContext, payload: dict[str, Any]) -> None:
    """Choose, and store what was chosen in the transaction that sets it."""
    row = context.patiently(lambda: _asked(context, payload["tuning"]))
    if row is None or row.tuned is not None:
        return
    # Whether the caller may read the collection, and change it, was looked at when the tuning was asked for.
    by = Caller(row.created_by, Role.ADMIN)

    def tell(done: int, total: int, message: str) -> None:
        context.yield_back()
        context.progress(done, total, message)

    tuned = choosing.choose(context.workspace, by, row.collection, row.dataset, by=row.known_by, tell=tell)
    context.patiently(lambda: _keep(context, by, row, tuned))


def _asked(context: JobContext, tuning: str) -> TuningRow | None:
    with context.workspace.reading(Caller("system:tuning", Role.ADMIN)) as uow:
        return uow.session.get(TuningRow, tuning)


def _keep(context: JobContext, by: Caller, row: TuningRow, tuned: Tuned) -> None:
    with context.workspace.writing(by) as uow:
        service.keep(uow, row.id, choosing.apply(uow, tuned) if row.applies else tuned)
