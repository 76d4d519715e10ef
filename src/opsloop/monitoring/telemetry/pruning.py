"""Let go of the oldest telemetry: what is past its days, and traces over the number of spans that is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select

from opsloop.core.caller import system
from opsloop.core.workspace import Workspace
from opsloop.monitoring.instants import microseconds
from opsloop.monitoring.telemetry._tables import LogRow, PointRow, ResourceRow, SeriesRow, SpanRow, TraceRow
from opsloop.monitoring.telemetry.settings import TelemetrySettings

BY = system("monitoring")
BATCH = 500
"""Rows, or traces with their spans, of one transaction: more would hold the database's write lock for long."""


def prune(workspace: Workspace) -> int:
    """Delete what need not be kept any more; returns how many traces and rows."""
    settings = workspace.section(TelemetrySettings)

    def before_us(days: float) -> int:
        return microseconds(workspace.clock.now() - timedelta(days=days))

    traces_us, logs_us, points_us = map(
        before_us, (settings.traces_kept_days, settings.logs_kept_days, settings.metrics_kept_days)
    )
    total = _traces(workspace, max(traces_us, _end_of_excess(workspace, settings.traces_kept_spans)))
    total += _rows(workspace, LogRow, LogRow.seq, LogRow.at_us, logs_us)
    total += _points(workspace, points_us)
    total += _rows(workspace, SeriesRow, SeriesRow.id, SeriesRow.seen_us, points_us - 86_400_000_000)
    oldest_us = min(traces_us, logs_us, points_us) - 86_400_000_000
    return total + _rows(workspace, ResourceRow, ResourceRow.id, ResourceRow.seen_us, oldest_us)


def _end_of_excess(workspace: Workspace, kept: int) -> int:
    """The instant before which traces began that hold the spans over the newest `kept`."""
    with workspace.reading(BY) as uow:
        if (uow.session.scalar(select(func.sum(TraceRow.spans))) or 0) <= kept:
            return 0
        counted = select(
            TraceRow.started_us, func.sum(TraceRow.spans).over(order_by=TraceRow.started_us.desc()).label("total")
        ).subquery()
        newest = uow.session.scalar(select(func.max(counted.c.started_us)).where(counted.c.total > kept))
    return 0 if newest is None else int(newest) + 1


def _traces(workspace: Workspace, end_us: int) -> int:
    total = 0
    while True:
        with workspace.writing(BY) as uow:
            old = select(TraceRow.trace_id).where(TraceRow.started_us < end_us).order_by(TraceRow.started_us)
            found = uow.session.scalars(old.limit(BATCH)).all()
            if found:
                uow.session.execute(delete(SpanRow).where(SpanRow.trace_id.in_(found)))
                uow.session.execute(delete(TraceRow).where(TraceRow.trace_id.in_(found)))
        total += len(found)
        if len(found) < BATCH:
            return total


def _rows(workspace: Workspace, row: Any, id: Any, at: Any, end_us: int) -> int:
    total = 0
    while True:
        with workspace.writing(BY) as uow:
            found = uow.session.scalars(select(id).where(at < end_us).limit(BATCH)).all()
            if found:
                uow.session.execute(delete(row).where(id.in_(found)))
        total += len(found)
        if len(found) < BATCH:
            return total


def _points(workspace: Workspace, end_us: int) -> int:
    total = 0
    while True:
        with workspace.writing(BY) as uow:
            oldest = select(PointRow.at_us).where(PointRow.at_us < end_us).order_by(PointRow.at_us).limit(BATCH)
            found = uow.session.scalars(oldest).all()
            if found:
                done = uow.session.execute(delete(PointRow).where(PointRow.at_us <= found[-1]))
                total += max(len(found), getattr(done, "rowcount", 0))
        if len(found) < BATCH:
            return total
