"""Count events into minutes and hours as they come, so that no figure needs a look at a million records.

A source (request records, feedback, scores of live samples) is counted in the order of its numbers, and how far it is
counted is written in the same transaction: nothing twice, nothing left out, whatever is killed. Of several processes
that count, one at a time holds the source's row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

from sqlalchemy import Executable, Table, and_, bindparam, case, delete, func, not_, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from opsloop.core.workspace import UnitOfWork
from opsloop.guardrails.models import Action
from opsloop.monitoring import metrics
from opsloop.monitoring._tables import RequestRow
from opsloop.monitoring.instants import microseconds
from opsloop.monitoring.objectives._tables import TalliedRow, TallyRow
from opsloop.monitoring.objectives.declaration import LIMITS_MS
from opsloop.monitoring.objectives.models import Measure, Tally

MINUTE_S, HOUR_S = 60, 3_600
MINUTES_KEPT = timedelta(days=4)
HOURS_KEPT = timedelta(days=400)
AT_ONCE = 5_000
REQUESTS = "requests"
_TABLE = cast(Table, TallyRow.__table__)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be added: events of one measure at a moment; the numbers may be negative, to take something back."""

    endpoint: str
    measure: str
    at: datetime
    tally: Tally


def within(limit_ms: int) -> str:
    """The measure that counts answers within a limit."""
    return f"{Measure.LATENCY}-{limit_ms}ms"


def counted_up_to(uow: UnitOfWork, source: str) -> int:
    """The last number of a source that is in the tallies; holds the source until the transaction ends."""
    insert = sqlite.insert if uow.workspace.database.is_sqlite else postgresql.insert
    uow.session.execute(insert(TalliedRow).values(source=source, seq=0).on_conflict_do_nothing())
    return uow.session.scalars(select(TalliedRow.seq).where(TalliedRow.source == source).with_for_update()).one()


def seen_up_to(uow: UnitOfWork, source: str) -> int:
    """As `counted_up_to`, for a look: holds nothing."""
    return uow.session.scalar(select(TalliedRow.seq).where(TalliedRow.source == source)) or 0


def note_counted(uow: UnitOfWork, source: str, seq: int) -> None:
    """Say that a source is counted up to a number, in the transaction that counted it."""
    row = uow.session.get_one(TalliedRow, source, populate_existing=True)
    row.seq = seq
    uow.session.flush()


def add(uow: UnitOfWork, entries: Iterable[Entry]) -> None:
    """Add events to their minute and hour."""
    entries = list(entries)
    for each in entries:
        metrics.count_events(each.endpoint, each.measure, good=each.tally.good, bad=each.tally.bad)
    rows = [(each.endpoint, each.measure, microseconds(each.at) // 1_000_000, each.tally) for each in entries]
    _add(uow, rows)


def any_uncounted(uow: UnitOfWork) -> bool:
    """Whether there are records that are in no tally yet."""
    done = seen_up_to(uow, REQUESTS)
    return uow.session.scalar(select(RequestRow.seq).where(RequestRow.seq > done).limit(1)) is not None


def advance(uow: UnitOfWork, *, limit: int = AT_ONCE) -> int:
    """Count request records that are in no tally yet, at most `limit`; returns how many."""
    after = counted_up_to(uow, REQUESTS)
    numbers = select(RequestRow.seq).where(RequestRow.seq > after).order_by(RequestRow.seq).limit(limit).subquery()
    count, last = uow.session.execute(select(func.count(), func.max(numbers.c.seq))).one()
    if not count:
        return 0
    _add(
        uow, [each for row in uow.session.execute(_groups(), {"after": after, "last": last}) for each in _of_group(row)]
    )
    note_counted(uow, REQUESTS, last)
    return int(count)


def prune(uow: UnitOfWork) -> None:
    """Forget minutes and hours that no window reaches."""
    now_s = microseconds(uow.clock.now()) // 1_000_000
    for span_s, kept in ((MINUTE_S, MINUTES_KEPT), (HOUR_S, HOURS_KEPT)):
        before_s = now_s - int(kept.total_seconds())
        uow.session.execute(delete(TallyRow).where(TallyRow.span_s == span_s, TallyRow.at_s < before_s))


@cache
def _groups() -> Any:
    """Per endpoint and minute of the records above `after` and up to `last`: requests that count, those that no
    guardrail stopped, answers, their time, and those within each limit.

    A request counts unless nobody waited for it (a shadow's, a cancelled one), stable answered it too (a shielded
    attempt), or it was the caller's own fault (400 to 499, which holds refusals by a rate limit too).
    """
    row = RequestRow
    is_fault_of_caller = and_(row.status.in_(("error", "shed")), row.http_status >= 400, row.http_status < 500)
    counts = and_(row.shadow.is_(False), row.shielded.is_(False), row.status != "cancelled", not_(is_fault_of_caller))
    is_answer = and_(row.shadow.is_(False), row.status == "ok")
    hits = func.coalesce(row.hits, "")
    is_stopped = or_(*(hits.contains(f'"{action}"') for action in _STOPS))
    minute = (row.started_us // 60_000_000).label("minute")

    def counted(condition: Any) -> Any:
        return func.sum(case((condition, 1), else_=0))

    return (
        select(
            row.endpoint,
            minute,
            counted(counts).label("total"),
            counted(and_(counts, row.status == "ok")).label("good"),
            counted(and_(counts, not_(is_stopped))).label("unstopped"),
            counted(is_answer).label("answers"),
            func.sum(case((is_answer, row.duration_ms), else_=0.0)).label("ms"),
            func.sum(row.tokens_in + row.tokens_out).label("tokens"),
            *(counted(and_(is_answer, row.duration_ms <= limit)).label(f"le_{limit}") for limit in LIMITS_MS),
        )
        .where(
            row.seq > bindparam("after"), row.seq <= bindparam("last"), row.release != ""
        )  # what no endpoint answered has no objective
        .group_by(row.endpoint, minute)
    )


_STOPS = (Action.BLOCK, Action.ESCALATE)
TOKENS = "tokens"
"""Kept beside the measures, for the dashboards: requests as `total`, their tokens as `amount`."""


def _of_group(row: Any) -> list[tuple[str, str, int, Tally]]:
    at_s, found = int(row.minute) * 60, row._mapping
    entries = []
    if row.total:
        entries.append((row.endpoint, str(Measure.AVAILABILITY), at_s, Tally(int(row.total), int(row.good))))
        unstopped = Tally(int(row.total), int(row.unstopped))
        entries.append((row.endpoint, str(Measure.GUARDRAILS), at_s, unstopped))
    if row.tokens:
        entries.append((row.endpoint, TOKENS, at_s, Tally(int(row.total), int(row.total), float(row.tokens))))
    if row.answers:
        answers = int(row.answers)
        mean = Tally(answers, answers, float(row.ms))
        entries.append((row.endpoint, str(Measure.MEAN_LATENCY), at_s, mean))
        entries += [(row.endpoint, within(ms), at_s, Tally(answers, int(found[f"le_{ms}"]))) for ms in LIMITS_MS]
    return entries


def _add(uow: UnitOfWork, entries: Iterable[tuple[str, str, int, Tally]]) -> None:
    """Add numbers to rows; the same row several times at once is added up first, as PostgreSQL wants it."""
    sums: dict[tuple[str, str, int, int], Tally] = {}
    for endpoint, measure, at_s, tally in entries:
        for span_s in (MINUTE_S, HOUR_S):
            key = (endpoint, measure, span_s, at_s - at_s % span_s)
            sums[key] = sums.get(key, Tally()) + tally
    rows = [_values(key, tally) for key, tally in sorted(sums.items())]
    if not rows:
        return
    # One statement for all rows: records of long ago may each have a minute of their own.
    uow.session.connection().execute(_adding(is_sqlite=uow.workspace.database.is_sqlite), rows)


@cache
def _adding(*, is_sqlite: bool) -> Executable:
    new = (sqlite.insert if is_sqlite else postgresql.insert)(_TABLE)
    more = {name: _TABLE.c[name] + new.excluded[name] for name in ("total", "good", "amount")}
    return new.on_conflict_do_update(index_elements=["endpoint", "measure", "span_s", "at_s"], set_=more)


def _values(key: tuple[str, str, int, int], tally: Tally) -> Mapping[str, Any]:
    endpoint, measure, span_s, at_s = key
    return {
        "endpoint": endpoint,
        "measure": measure,
        "span_s": span_s,
        "at_s": at_s,
        "total": tally.total,
        "good": tally.good,
        "amount": tally.amount,
    }
