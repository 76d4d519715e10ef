"""What was handed out of each window, in the state database: processes take parts of it and give back what is left.

`taken` of a window is what was used and what living processes hold, so it is never less than what was used, whatever
process dies when. A lease is one process's part. Taking, giving back and the death of a lease are one transaction each
in which the lease's row is written or gone, so that nothing is given back twice.

A lease that was not renewed in time belongs to a process that is dead or was asleep. Nobody knows what it used since it
last said so: all of its part stays taken. Only requests under way end with their process, and are free again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from opsloop.core.workspace import UnitOfWork
from opsloop.limits._tables import LimitLeaseRow, LimitWindowRow
from opsloop.limits.models import Meter, Subject

SLICES = 8
"""A process takes at least an eighth of what is left, so that it need not come for every request."""
LEASE = timedelta(seconds=15)
PRUNE_AFTER = {Meter.REQUESTS: 3600, Meter.TOKENS: 3600, Meter.DAY: 400 * 86400, Meter.MONTH: 800 * 86400}


@dataclass(frozen=True, order=True, slots=True)
class Window:
    """One meter of one subject in one window."""

    scope: str
    name: str
    meter: str
    starts: int

    @classmethod
    def of(cls, subject: Subject, meter: Meter, starts: int) -> Window:
        return cls(subject.scope.value, subject.name, meter.value, starts)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Args: lease: id of the lease that it goes to; need: the least of use; most: the limit of the window."""

    window: Window
    lease: str
    need: int
    most: int


@dataclass(frozen=True, slots=True)
class Denied:
    """Which window cannot give what is needed, what is left of it, and whether other processes hold unused parts."""

    window: Window
    left: int
    is_held_elsewhere: bool


@dataclass(frozen=True, slots=True)
class Granted:
    """`amount` was added to the lease; `left` is what others can still take of the window."""

    amount: int
    left: int


def take(uow: UnitOfWork, wanted: Sequence[Wanted]) -> Mapping[Window, Granted] | Denied:
    """A part of each window, or of none when one has too little left."""
    rows: dict[Window, tuple[LimitWindowRow, int]] = {}
    for each in sorted(wanted, key=lambda each: each.window):  # always in one order: no two processes wait in a ring
        row = _locked(uow, each.window)
        left = each.most - row.taken
        if left < each.need:
            left += _expired(uow, each.window, row)
        if left < each.need:
            return Denied(each.window, max(0, left), _is_held_elsewhere(uow, each))
        is_sliced = each.window.meter != Meter.CONCURRENT
        rows[each.window] = row, max(each.need, -(-left // SLICES)) if is_sliced else each.need
    now = uow.clock.now()
    for each in wanted:
        row, amount = rows[each.window]
        row.taken += amount
        lease = uow.session.get(LimitLeaseRow, each.lease)
        if lease is None:
            expires_at = now + LEASE
            uow.session.add(
                LimitLeaseRow(id=each.lease, amount=amount, used=0, expires_at=expires_at, **_key(each.window))
            )
        else:
            lease.amount += amount
            lease.expires_at = now + LEASE
    return {each.window: Granted(rows[each.window][1], each.most - rows[each.window][0].taken) for each in wanted}


@dataclass(frozen=True, slots=True)
class Held:
    """A lease as its holder has it: `keeps` of it stay with the holder, the rest goes back.

    `keeps` may be more than the lease: what was used beyond it is counted, whatever the limit. `ends`: the holder lets
    go of the lease, and `keeps` is what was used.
    """

    lease: str
    window: Window
    used: int
    keeps: int
    ends: bool = False


def renew(uow: UnitOfWork, held: Sequence[Held]) -> set[str]:
    """Say what was used, give back what is not kept; the leases that are there no more.

    Amounts are absolute, so that saying it again changes nothing.
    """
    gone: set[str] = set()
    for each in sorted(held, key=lambda each: each.window):
        row = _locked(uow, each.window)
        lease = uow.session.get(LimitLeaseRow, each.lease)
        if lease is None:
            gone.add(each.lease)
            continue
        row.taken += each.keeps - lease.amount
        if each.ends:
            uow.session.delete(lease)
            gone.add(each.lease)
        else:
            lease.amount, lease.used, lease.expires_at = each.keeps, each.used, uow.clock.now() + LEASE
    return gone


def bury(uow: UnitOfWork) -> None:
    """End the leases of processes that are dead, and forget windows that nobody asks for any more."""
    now = uow.clock.now()
    expired = select(LimitLeaseRow.scope, LimitLeaseRow.name, LimitLeaseRow.meter, LimitLeaseRow.starts).where(
        LimitLeaseRow.expires_at < now
    )
    for window in sorted({Window(*each) for each in uow.session.execute(expired)}):
        _expired(uow, window, _locked(uow, window))
    for meter, age_s in PRUNE_AFTER.items():
        before = int(now.timestamp()) - age_s
        uow.session.execute(
            delete(LimitWindowRow).where(LimitWindowRow.meter == meter.value, LimitWindowRow.starts < before)
        )


def _expired(uow: UnitOfWork, window: Window, row: LimitWindowRow) -> int:
    """End the leases of this window whose holders are dead; what that frees."""
    freed = 0
    for lease in _leases(uow, window):
        if lease.expires_at < uow.clock.now():
            freed += lease.amount if window.meter == Meter.CONCURRENT else 0
            uow.session.delete(lease)
    row.taken -= freed
    return freed


def _is_held_elsewhere(uow: UnitOfWork, wanted: Wanted) -> bool:
    others = [each for each in _leases(uow, wanted.window) if each.id != wanted.lease]
    return sum(each.amount - each.used for each in others) > 0


def _leases(uow: UnitOfWork, window: Window) -> Sequence[LimitLeaseRow]:
    return uow.session.scalars(select(LimitLeaseRow).filter_by(**_key(window))).all()


def _locked(uow: UnitOfWork, window: Window) -> LimitWindowRow:
    """The row of a window, made when it is not there; this transaction's alone until it ends."""
    insert = sqlite.insert if uow.workspace.database.is_sqlite else postgresql.insert
    key = _key(window)
    uow.session.execute(insert(LimitWindowRow).values(**key, taken=0).on_conflict_do_nothing())
    return uow.session.scalars(select(LimitWindowRow).filter_by(**key).with_for_update()).one()


def _key(window: Window) -> dict[str, Any]:
    return {"scope": window.scope, "name": window.name, "meter": window.meter, "starts": window.starts}
