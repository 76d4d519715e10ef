"""Keep the topology up to date: read the spans that were stored since the time before.

A source that the platform's tending asks every few seconds. Spans are read once, in the transaction that says so: what
a process that dies had not committed, the next one reads again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.settings import IncidentSettings
from opsloop.incidents.topology._tables import CallRow, CursorRow
from opsloop.incidents.topology.deriving import Step, steps
from opsloop.monitoring.telemetry import spans

EVERY = timedelta(seconds=30)
AT_ONCE, MOST_SPANS = 5_000, 20_000
"""New spans that are read at a time, and spans of their traces."""
FARTHEST = 50_000
"""Spans that the reading may lie behind: who calls whom shows in a part of the traffic as well."""
MOST_CALLS = 5_000
"""Calls that are kept, those that were seen last: a sender that makes up names has no more."""
_HERE = 1


def any_uncounted(uow: UnitOfWork) -> bool:
    """Whether there may be spans to read, and it is time."""
    cursor = uow.session.get(CursorRow, _HERE)
    if cursor is None:
        return spans.last(uow) > 0
    # A clock that was set back does not stop the reading.
    is_due = abs(uow.clock.now() - cursor.read_at) >= EVERY
    return is_due and (cursor.seq < cursor.ceiling or spans.last(uow) > cursor.ceiling)


def advance(uow: UnitOfWork) -> int:
    """Read the spans that were there the time before; returns how many calls they showed."""
    cursor = _cursor(uow)
    after = max(cursor.seq, cursor.ceiling - FARTHEST)
    traces, read = spans.traces_after(uow, after, to=cursor.ceiling, limit=AT_ONCE)
    found = spans.of_traces(uow, traces, limit=MOST_SPANS)
    shown = [each for each in steps(found) if after < each.seq <= read]
    _keep(uow, _summed(shown))
    cursor.seq = read
    if read == cursor.ceiling:
        cursor.ceiling, cursor.read_at = max(cursor.ceiling, spans.last(uow)), uow.clock.now()
        _forget(uow)
    uow.session.flush()
    return len(shown)


def _cursor(uow: UnitOfWork) -> CursorRow:
    """The row that says how far the reading is; this transaction's alone until it ends."""
    insert = sqlite.insert if uow.workspace.database.is_sqlite else postgresql.insert
    new = {"id": _HERE, "seq": 0, "ceiling": spans.last(uow), "read_at": uow.clock.now()}
    uow.session.execute(insert(CursorRow).values(**new).on_conflict_do_nothing())
    asked = select(CursorRow).where(CursorRow.id == _HERE).with_for_update()
    return uow.session.scalars(asked.execution_options(populate_existing=True)).one()


@dataclass(slots=True)
class _Sum:
    calls: int = 0
    errors: int = 0


def _summed(shown: Iterable[Step]) -> dict[tuple[str, str], _Sum]:
    found: dict[tuple[str, str], _Sum] = {}
    for each in shown:
        of = found.setdefault((each.caller, each.callee), _Sum())
        of.calls, of.errors = of.calls + 1, of.errors + each.failed
    return found


def _keep(uow: UnitOfWork, found: dict[tuple[str, str], _Sum]) -> None:
    if not found:
        return
    now: datetime = uow.clock.now()
    insert = sqlite.insert if uow.workspace.database.is_sqlite else postgresql.insert
    new = insert(CallRow)
    old, more = CallRow.__table__.c, new.excluded
    statement = new.on_conflict_do_update(
        index_elements=["caller", "callee"],
        set_={"calls": old.calls + more.calls, "errors": old.errors + more.errors, "seen_at": more.seen_at},
    )
    rows = [
        {
            "caller": caller,
            "callee": callee,
            "calls": of.calls,
            "errors": of.errors,
            "first_at": now,
            "seen_at": now,
        }
        for (caller, callee), of in sorted(found.items())
    ]
    uow.session.execute(statement, rows)


def _forget(uow: UnitOfWork) -> None:
    """Calls that were not seen for long, and those beyond what is kept."""
    window = timedelta(hours=uow.workspace.section(IncidentSettings).incident_topology_h)
    uow.session.execute(delete(CallRow).where(CallRow.seen_at < uow.clock.now() - window))
    if (uow.session.scalar(select(func.count()).select_from(CallRow)) or 0) <= MOST_CALLS:
        return
    order = (CallRow.seen_at.desc(), CallRow.calls.desc(), CallRow.caller, CallRow.callee)
    for row in uow.session.scalars(select(CallRow).order_by(*order).offset(MOST_CALLS)).all():
        uow.session.delete(row)
