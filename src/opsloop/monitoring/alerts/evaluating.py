"""Evaluate the rules, move alerts on, tell what is to be told: all in one transaction, by one process at a time."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring import metrics
from opsloop.monitoring.alerts import conditions, declaring, silencing, store, telling
from opsloop.monitoring.alerts._tables import AlertRow, EvaluatedRow
from opsloop.monitoring.alerts.models import AlertState
from opsloop.monitoring.objectives import service as objectives
from opsloop.monitoring.objectives.wording import span

EVERY_S = 15.0


def evaluate(uow: UnitOfWork, *, every_s: float = EVERY_S) -> bool:
    """Evaluate unless somebody did within `every_s`; whether it was done."""
    if not _is_my_turn(uow, every_s):
        return False
    silences = silencing.current(uow)
    seen = {
        store.see(uow, condition, silences=silences).id for condition in conditions.found(uow, declaring.rules(uow))
    }
    store.resolve_gone(uow, seen)
    telling.tell(uow, declaring.channels(uow), silences)
    return True


def show(uow: UnitOfWork) -> None:
    """Set the gauges of `/metrics` to what holds now."""
    for standing in objectives.all_standings(uow):
        if standing.budget_left is not None:
            metrics.budget_left.labels(standing.endpoint, standing.name).set(standing.budget_left)
        for burn in standing.burns:
            if burn.long_rate is not None:
                metrics.burn_rate.labels(standing.endpoint, standing.name, span(burn.long_s)).set(burn.long_rate)
    counts = dict.fromkeys(("page", "ticket", "info"), 0)
    for severity in uow.session.scalars(select(AlertRow.severity).where(AlertRow.state == AlertState.FIRING)):
        counts[severity] += 1
    for severity, number in counts.items():
        metrics.alerts_firing.labels(severity).set(number)


def _is_my_turn(uow: UnitOfWork, every_s: float) -> bool:
    """Hold the row of evaluations; a clock that was set back is no reason to wait."""
    insert = sqlite.insert if uow.workspace.database.is_sqlite else postgresql.insert
    uow.session.execute(insert(EvaluatedRow).values(id=1, at=None).on_conflict_do_nothing())
    row = uow.session.scalars(select(EvaluatedRow).with_for_update()).one()
    now = uow.clock.now()
    if row.at is not None and timedelta() <= now - row.at < timedelta(seconds=every_s):
        return False
    row.at = now
    return True
