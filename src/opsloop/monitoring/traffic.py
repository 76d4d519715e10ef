"""Traffic of an endpoint, per arm, in a window that ends now: figures for a table, points for a chart.

Both databases compute in the same SQL. Percentiles are exact, by nearest rank: the p-th of n ordered values is the one
at position ceil(p·n) (Hyndman and Fan, Sample Quantiles in Statistical Packages, The American Statistician 50 (1996),
definition 1).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Integer, Select, case, func, literal, select
from sqlalchemy import cast as as_type

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring._tables import RequestRow
from opsloop.monitoring.instants import instant_of, microseconds
from opsloop.monitoring.models import ArmName, ArmTraffic, Traffic, TrafficPoint

MAX_WINDOW_S = 7 * 86_400
MAX_POINTS = 500


def summary(uow: UnitOfWork, endpoint: str, window_s: int = 300) -> Traffic:
    """An endpoint's traffic of the last `window_s` seconds. Raises: InvalidInput for a window over seven days."""
    uow.by.require(Role.VIEWER)
    until_us = _end(uow, window_s)
    rows = uow.session.execute(_groups(endpoint, until_us, window_s, literal(0))).all()
    arms = tuple(_arm(row, window_s) for row in rows)
    requests = sum(arm.count - arm.shielded for arm in arms)
    return Traffic(
        endpoint=endpoint,
        window_s=window_s,
        until=instant_of(until_us),
        requests=requests,
        rate_per_s=requests / window_s,
        arms=arms,
    )


def series(uow: UnitOfWork, endpoint: str, window_s: int = 300, points: int = 60) -> list[TrafficPoint]:
    """The same window cut into at most `points` intervals of equal length, oldest first; empty ones are left out."""
    uow.by.require(Role.VIEWER)
    if not 1 <= points <= MAX_POINTS:
        raise InvalidInput(field="points", value=points, wanted=f"a whole number from 1 to {MAX_POINTS}")
    until_us = _end(uow, window_s)
    step_us = -(-window_s * 1_000_000 // points)
    from_us = until_us - window_s * 1_000_000
    interval = (RequestRow.started_us - from_us) // step_us
    rows = uow.session.execute(_groups(endpoint, until_us, window_s, as_type(interval, Integer))).all()
    return [
        TrafficPoint(
            at=instant_of(from_us + row.interval * step_us),
            arm=cast(ArmName, row.arm),
            count=row.attempts,
            rate_per_s=row.attempts / (step_us / 1e6),
            errors=row.errors,
            p50_ms=row.p50_ms,
            p95_ms=row.p95_ms,
        )
        for row in rows
    ]


def _end(uow: UnitOfWork, window_s: int) -> int:
    if not 1 <= window_s <= MAX_WINDOW_S:
        raise InvalidInput(field="window", value=window_s, wanted=f"whole seconds from 1 to {MAX_WINDOW_S}")
    # A record of this very microsecond is inside.
    return microseconds(uow.clock.now() + timedelta(microseconds=1))


def _groups(endpoint: str, until_us: int, window_s: int, interval: ColumnElement[int]) -> Select[Any]:
    """Counts and percentiles per interval and arm: answered requests get their rank inside their group."""
    answered = case((RequestRow.status == "ok", 1), else_=0)
    group = (interval, RequestRow.arm)
    ranked = (
        select(
            interval.label("interval"),
            RequestRow.arm,
            RequestRow.status,
            RequestRow.shielded,
            RequestRow.abstained,
            RequestRow.duration_ms,
            answered.label("answered"),
            func.sum(answered).over(partition_by=group).label("answers"),
            func.row_number().over(partition_by=(*group, answered), order_by=RequestRow.duration_ms).label("rank"),
        )
        .where(
            RequestRow.endpoint == endpoint,
            RequestRow.started_us >= until_us - window_s * 1_000_000,
            RequestRow.started_us < until_us,
            RequestRow.shadow.is_(False),  # nobody got its answer
        )
        .subquery()
    )
    column = ranked.c

    def counted(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return as_type(func.sum(case((condition, 1), else_=0)), Integer)

    def percentile(percent: int) -> ColumnElement[float | None]:
        # ceil(percent/100 · n) in whole numbers.
        position = (as_type(column.answers, Integer) * percent + 99) // 100
        return func.max(case(((column.answered == 1) & (column.rank == position), column.duration_ms)))

    return (
        select(
            column.interval,
            column.arm,
            func.count().label("attempts"),
            counted(column.status == "error").label("errors"),
            counted(column.shielded.is_(True)).label("shielded"),
            counted(column.status == "shed").label("shed"),
            counted(column.status == "cancelled").label("cancelled"),
            counted(column.abstained.is_(True)).label("abstained"),
            percentile(50).label("p50_ms"),
            percentile(95).label("p95_ms"),
        )
        .group_by(column.interval, column.arm)
        .order_by(column.interval, column.arm.desc())
    )


def _arm(row: Any, window_s: int) -> ArmTraffic:
    asked = row.attempts - row.shed - row.cancelled
    return ArmTraffic(
        arm=row.arm,
        count=row.attempts,
        rate_per_s=row.attempts / window_s,
        errors=row.errors,
        shielded=row.shielded,
        shed=row.shed,
        cancelled=row.cancelled,
        abstained=row.abstained,
        error_rate=row.errors / asked if asked else None,
        p50_ms=row.p50_ms,
        p95_ms=row.p95_ms,
    )
