"""Let go of the oldest predictions: those past their days, and those over an endpoint's number of rows."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func, select

from opsloop.core.caller import system
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.monitoring.instants import microseconds
from opsloop.monitoring.predictions._tables import PredictionRow
from opsloop.monitoring.settings import MonitoringSettings

BY = system("monitoring")
BATCH = 2_000
"""Requests whose rows go in one transaction: more would hold the database's write lock for long."""


def prune(workspace: Workspace) -> int:
    """Delete what need not be kept any more; returns of how many requests."""
    settings = workspace.section(MonitoringSettings)
    kept = timedelta(days=settings.predictions_kept_days)
    total = settings.predictions_kept_total
    with workspace.reading(BY) as uow:
        before_us = microseconds(uow.clock.now() - kept)
        ends = {
            endpoint: max(before_us, _end_of_excess(uow, endpoint, total) if rows > total else 0)
            for endpoint, rows in _rows_by_endpoint(uow)
        }
    return sum(_deleted(workspace, endpoint, end_us) for endpoint, end_us in ends.items())


def _rows_by_endpoint(uow: UnitOfWork) -> list[tuple[str, int]]:
    query = select(PredictionRow.endpoint, func.sum(PredictionRow.rows)).group_by(PredictionRow.endpoint)
    return [(endpoint, int(rows)) for endpoint, rows in uow.session.execute(query)]


def _end_of_excess(uow: UnitOfWork, endpoint: str, kept: int) -> int:
    """The instant before which the rows over the newest `kept` were predicted."""
    newest_first = (PredictionRow.started_us.desc(), PredictionRow.seq.desc())
    counted = (
        select(PredictionRow.started_us, func.sum(PredictionRow.rows).over(order_by=newest_first).label("total"))
        .where(PredictionRow.endpoint == endpoint)
        .subquery()
    )
    newest = uow.session.scalar(select(func.max(counted.c.started_us)).where(counted.c.total > kept))
    return 0 if newest is None else int(newest) + 1


def _deleted(workspace: Workspace, endpoint: str, end_us: int) -> int:
    old = (
        select(PredictionRow.seq)
        .where(PredictionRow.endpoint == endpoint, PredictionRow.started_us < end_us)
        .order_by(PredictionRow.started_us)
        .limit(BATCH)
    )
    total = 0
    while True:
        with workspace.reading(BY) as uow:
            found = uow.session.scalars(old).all()
        if found:
            with workspace.writing(BY) as uow:
                uow.session.execute(delete(PredictionRow).where(PredictionRow.seq.in_(found)))
        total += len(found)
        if len(found) < BATCH:
            return total
