"""Set limits and see what is used of them."""

from __future__ import annotations

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.limits import windows
from opsloop.limits._tables import LimitLeaseRow, LimitRow, LimitWindowRow
from opsloop.limits.declared import FIELDS, check
from opsloop.limits.models import NANO, Limit, LimitState, Meter, Scope, Subject, Use

BELL = "limits"


def put(uow: UnitOfWork, scope: Scope, name: str, limit: Limit) -> LimitState:
    """What a key, an endpoint or each key may use from now on; it replaces what was set before.

    Args:
        name: of the key or endpoint, which need not be there yet; "" by default.
    Raises: InvalidInput naming the field.
    """
    uow.by.require(Role.ADMIN)
    check(scope, name, limit)
    row = uow.session.get(LimitRow, (scope.value, name))
    if row is None:
        row = LimitRow(scope=scope.value, name=name)
        uow.session.add(row)
    for field in FIELDS:
        setattr(row, field, getattr(limit, field))
    row.changed_at, row.changed_by = uow.clock.now(), uow.by.name
    said = {field: getattr(limit, field) for field in FIELDS if getattr(limit, field) is not None}
    uow.audit("limit.set", f"limit/{scope}/{name}", **said)
    uow.ring(BELL)
    return _state(row)


def remove(uow: UnitOfWork, scope: Scope, name: str) -> None:
    """Limit it no more. Raises: NotFound."""
    uow.by.require(Role.ADMIN)
    row = uow.session.get(LimitRow, (scope.value, name))
    if row is None:
        raise NotFound(f"no limit is set for {Subject(scope, name)}" if name else "no default limit is set")
    uow.session.delete(row)
    uow.audit("limit.removed", f"limit/{scope}/{name}")
    uow.ring(BELL)


def listed(uow: UnitOfWork) -> list[LimitState]:
    """Every limit that is set: the default one, then keys, then endpoints."""
    uow.by.require(Role.VIEWER)
    order = list(Scope)
    found = [_state(row) for row in uow.session.scalars(select(LimitRow))]
    return sorted(found, key=lambda each: (order.index(each.scope), each.name))


def used(uow: UnitOfWork) -> list[Use]:
    """What was used of the windows that are now, of everybody who has a limit and of everybody who had one."""
    uow.by.require(Role.VIEWER)
    now = uow.clock.now()
    limits = {(each.scope, each.name): each.limit for each in listed(uow)}
    unused = {(row.scope, row.name, row.meter, row.starts): 0 for row in uow.session.scalars(select(LimitWindowRow))}
    for lease in uow.session.scalars(select(LimitLeaseRow).where(LimitLeaseRow.expires_at >= now)):
        at = (lease.scope, lease.name, lease.meter, lease.starts)
        unused[at] = unused.get(at, 0) + max(0, lease.amount - lease.used)
    uses = []
    for row in uow.session.scalars(select(LimitWindowRow).order_by(LimitWindowRow.scope, LimitWindowRow.name)):
        meter, scope = Meter(row.meter), Scope(row.scope)
        if row.starts != windows.start_of(meter, now):
            continue
        limit = limits.get((scope, row.name)) or (limits.get((Scope.DEFAULT, "")) if scope is Scope.KEY else None)
        most = limit.most(meter) if limit is not None else None
        unit = NANO if meter.is_money else 1
        held = unused[(row.scope, row.name, row.meter, row.starts)]
        uses.append(
            Use(
                scope,
                row.name,
                meter,
                used=max(0, row.taken - held) / unit,
                held=held / unit,
                limit=None if most is None else most / unit,
                resets_at=windows.end_of(meter, row.starts),
            )
        )
    return uses


def _state(row: LimitRow) -> LimitState:
    limit = Limit(row.requests_per_minute, row.tokens_per_minute, row.concurrent, row.usd_per_day, row.usd_per_month)
    return LimitState(Scope(row.scope), row.name, limit, row.changed_at, row.changed_by)
