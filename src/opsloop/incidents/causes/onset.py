"""When symptoms began: alerts wait until they are sure, and what came before them is no time to compare with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.causes.scores import FEW, spread, two_rates
from opsloop.monitoring import intervals
from opsloop.monitoring.intervals import Interval

FARTHEST_MIN = 60
REFERENCE_MIN = 300
SURE_Z = 3.0
SPREADS = 4.0
_MINUTE = timedelta(minutes=1)


def onset(uow: UnitOfWork, endpoints: Iterable[str], told_at: datetime) -> datetime:
    """First of the minutes before `told_at` in which an endpoint failed or was slow already, without a pause of two.

    A minute failed when its share of errors lies 3 standard errors above that of the five hours before the last one; it
    was slow when its mean latency lies 4 spreads above theirs.

    Returns: `told_at` where no minute before it did, and at most an hour earlier.
    """
    names = tuple(endpoints)
    if not names:
        return told_at
    since = told_at - (FARTHEST_MIN + REFERENCE_MIN) * _MINUTE
    found = intervals.listed(uow, since=since, until=told_at, endpoints=names)
    return min((_of_one([each for each in found if each.endpoint == name], told_at) for name in names), default=told_at)


def _of_one(found: Sequence[Interval], told_at: datetime) -> datetime:
    border = told_at - FARTHEST_MIN * _MINUTE
    usual = [each for each in found if each.at < border]
    off = {each.at for each in _of_late(found, border) if _is_off(each, usual)}
    first, pause, at = told_at, 0, told_at - _MINUTE
    while at >= border and pause < 2:
        first, pause = (at, 0) if at in off else (first, pause + 1)
        at -= _MINUTE
    return first


def _of_late(found: Iterable[Interval], border: datetime) -> list[Interval]:
    """One for each minute, its releases together."""
    by_minute: dict[datetime, list[Interval]] = {}
    for each in found:
        if each.at >= border:
            by_minute.setdefault(each.at, []).append(each)
    return [_together(parts) for parts in by_minute.values()]


def _together(parts: Sequence[Interval]) -> Interval:
    answered = sum(each.answered for each in parts)
    mean = sum((each.latency_ms or 0.0) * each.answered for each in parts) / answered if answered else None
    requests, errors = sum(each.requests for each in parts), sum(each.errors for each in parts)
    return Interval(parts[0].endpoint, "", parts[0].at, requests, errors, mean, answered)


def _is_off(minute: Interval, usual: Sequence[Interval]) -> bool:
    requests, errors = sum(each.requests for each in usual), sum(each.errors for each in usual)
    if requests and two_rates(minute.errors, minute.requests, errors, requests) >= SURE_Z:
        return True
    means = [each.latency_ms for each in usual if each.latency_ms is not None]
    if len(means) < FEW or minute.latency_ms is None:
        return False
    return minute.latency_ms > median(means) + SPREADS * spread(means, median(means))
