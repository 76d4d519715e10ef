"""How long ago something was, by two clocks: the wall clock, which people and time servers set, and a machine's count.

A question lapses as soon as one of the two says so: a clock that is set back gives nobody more time. What acted is
watched by the count alone: a clock that is set forward makes nothing late. Where another machine counts, or the same
one was started anew, the wall clock is all there is for questions, and the watch begins anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_

from opsloop.core.clock import Clock
from opsloop.remediation._tables import RemediationRow

SKEW = timedelta(seconds=5)
"""So far the clocks of two machines may be apart; a question from further ahead was asked before a clock was set."""
_SET_S = 1.0
"""A clock that is further behind than this was set; one that is slewed is not."""


def ask(row: RemediationRow, clock: Clock, approval_s: float) -> None:
    """Let the time of a question begin."""
    row.asked_at = clock.now()
    row.expires_at = row.asked_at + timedelta(seconds=approval_s)
    row.counter, row.lapses_s = clock.counter(), clock.monotonic_s() + approval_s


def is_lapsed(row: RemediationRow, clock: Clock, *, grace_s: float = 0) -> bool:
    """Whether the time of a question is over. Args: grace_s: for which it goes on."""
    now = clock.now()
    if now >= row.expires_at + timedelta(seconds=grace_s) or now < row.asked_at - SKEW:
        return True
    return row.counter == clock.counter() and clock.monotonic_s() >= row.lapses_s + grace_s


def not_lapsed(clock: Clock) -> ColumnElement[bool]:
    """The same as a condition of a query."""
    now = clock.now()
    return and_(
        RemediationRow.expires_at > now,
        RemediationRow.asked_at <= now + SKEW,
        or_(RemediationRow.counter != clock.counter(), RemediationRow.lapses_s > clock.monotonic_s()),
    )


def act(row: RemediationRow, clock: Clock) -> datetime:
    """Let the watch over what was done begin."""
    row.acted_at = clock.now()
    watch_anew(row, clock)
    return row.acted_at


def watch_anew(row: RemediationRow, clock: Clock) -> None:
    row.acted_counter, row.acted_s = clock.counter(), clock.monotonic_s()


def watched_s(row: RemediationRow, clock: Clock) -> float | None:
    """Seconds since it acted, or since the watch began anew; None where nobody here counted them."""
    if row.acted_s is None or row.acted_counter != clock.counter():
        return None
    return clock.monotonic_s() - row.acted_s


def set_back_s(row: RemediationRow, clock: Clock) -> float:
    """How far the clock was set back since it acted, in seconds; 0: it was not."""
    watched = watched_s(row, clock)
    if watched is None or row.acted_at is None:
        return 0.0
    behind = watched - (clock.now() - row.acted_at).total_seconds()
    return behind if behind > _SET_S else 0.0


def acted_within(clock: Clock, span: timedelta) -> ColumnElement[bool]:
    """A condition: it acted so long ago or less, by one of the two clocks."""
    counted = and_(
        RemediationRow.acted_counter == clock.counter(),
        RemediationRow.acted_s > clock.monotonic_s() - span.total_seconds(),
    )
    return or_(RemediationRow.acted_at > clock.now() - span, counted)
