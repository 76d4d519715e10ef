"""Requests of a time span by endpoint, release and interval, for whoever compares before with after."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Integer, case, cast, func, select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring._tables import RequestRow
from opsloop.monitoring.instants import instant_of, microseconds

MAX_INTERVALS = 10_000


@dataclass(frozen=True, slots=True)
class Interval:
    """Attempts of one release in one interval. Args: latency_ms: mean of those answered, None without any."""

    endpoint: str
    release: str
    at: datetime
    requests: int
    errors: int
    latency_ms: float | None
    answered: int


def listed(
    uow: UnitOfWork,
    *,
    since: datetime,
    until: datetime,
    step_s: int = 60,
    endpoints: Collection[str] | None = None,
) -> list[Interval]:
    """Oldest first; intervals without requests are left out. Attempts that stable stood in for count as errors.

    Raises: InvalidInput for more than 10,000 intervals.
    """
    uow.by.require(Role.VIEWER)
    from_us, until_us, step_us = microseconds(since), microseconds(until), step_s * 1_000_000
    if step_us < 1 or (until_us - from_us) / step_us > MAX_INTERVALS:
        raise InvalidInput(field="step_s", value=step_s, wanted=f"at most {MAX_INTERVALS} intervals between the ends")
    number = cast((RequestRow.started_us - from_us) // step_us, Integer).label("number")
    is_ok, is_error = RequestRow.status == "ok", RequestRow.status.in_(("error", "shed"))
    query = (
        select(
            RequestRow.endpoint,
            RequestRow.release,
            number,
            func.count(),
            func.sum(case((is_error, 1), else_=0)),
            func.avg(case((is_ok, RequestRow.duration_ms))),
            func.sum(case((is_ok, 1), else_=0)),
        )
        .where(RequestRow.started_us >= from_us, RequestRow.started_us < until_us, RequestRow.status != "cancelled")
        .group_by(RequestRow.endpoint, RequestRow.release, number)
        .order_by(number, RequestRow.endpoint, RequestRow.release)
    )
    if endpoints is not None:
        query = query.where(RequestRow.endpoint.in_(list(endpoints)))
    return [
        Interval(endpoint, release, instant_of(from_us + at * step_us), count, int(errors), latency_ms, int(answered))
        for endpoint, release, at, count, errors, latency_ms, answered in uow.session.execute(query)
    ]
