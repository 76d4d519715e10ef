"""What an incident cost: requests that failed, of how many, by endpoint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import select

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents._tables import IncidentRow
from opsloop.incidents.causes.onset import onset
from opsloop.incidents.models import Impact, IncidentState
from opsloop.incidents.topology import service as topology
from opsloop.monitoring import intervals

USUAL = timedelta(hours=6)
LONGEST = timedelta(days=7)
MOST_ENDPOINTS, MOST_STEPS = 20, 3
GOING_ON = (IncidentState.OPEN.value, IncidentState.ACKNOWLEDGED.value)


def measure(uow: UnitOfWork, row: IncidentRow) -> None:
    """Count its requests, from the first bad minute to its end or until now, and keep that with it."""
    names = _endpoints(uow, row.subjects)
    now = uow.clock.now()
    until = min(row.mitigated_at or row.closed_at or now, now)
    # A clock that was set back may put the start after now.
    began = min(max(onset(uow, names, row.first_signal_at), until - LONGEST), until)
    found = [_of(uow, name, began, until) for name in names]
    row.impact = [asdict(each) | _texts(each) for each in found if each.requests]


def refresh(uow: UnitOfWork, *, limit: int = 20) -> None:
    """Count again for the newest incidents whose signals go on."""
    query = select(IncidentRow).where(IncidentRow.state.in_(GOING_ON), IncidentRow.active_count > 0)
    for row in uow.session.scalars(query.order_by(IncidentRow.opened_at.desc()).limit(limit)):
        measure(uow, row)


def _endpoints(uow: UnitOfWork, subjects: Iterable[str]) -> list[str]:
    """Those that it is about, else those that call what it is about, over at most three steps."""
    mine = list(subjects)
    named = {each.removeprefix("endpoint:") for each in mine if each.startswith("endpoint:")}
    if named:
        return sorted(named)[:MOST_ENDPOINTS]
    callers: dict[str, set[str]] = {}
    for caller, callee in topology.pairs(uow):
        callers.setdefault(callee, set()).add(caller)
    reached = set(mine)
    for _ in range(MOST_STEPS):
        reached |= {caller for each in reached for caller in callers.get(each, ())}
    found = {each.removeprefix("endpoint:") for each in reached if each.startswith("endpoint:")}
    return sorted(found)[:MOST_ENDPOINTS]


def _of(uow: UnitOfWork, endpoint: str, since: datetime, until: datetime) -> Impact:
    requests, failed = _counted(uow, endpoint, since, until)
    before, failed_before = _counted(uow, endpoint, since - USUAL, since)
    return Impact(endpoint, requests, failed, failed_before / before if before else None, since, until)


def _counted(uow: UnitOfWork, endpoint: str, since: datetime, until: datetime) -> tuple[int, int]:
    step_s = int(max((until - since).total_seconds(), 60)) + 1
    found = intervals.listed(uow, since=since, until=until, step_s=step_s, endpoints=(endpoint,))
    return sum(each.requests for each in found), sum(each.errors for each in found)


def _texts(found: Impact) -> dict[str, str]:
    return {"since": found.since.isoformat(), "until": found.until.isoformat()}
