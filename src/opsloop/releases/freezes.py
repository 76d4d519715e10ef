"""Freezes: times in which no candidate is given traffic. What takes traffic away from one is always allowed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, or_, select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.releases import routing
from opsloop.releases._tables import EndpointRow, FreezeRow
from opsloop.releases.errors import FrozenAlready, NothingFrozen
from opsloop.releases.models import Freeze, FreezeId

LONGEST_REASON = 1_000
LISTED = 100


def begin(uow: UnitOfWork, endpoint: str | None, *, reason: str, until: datetime | None = None) -> Freeze:
    """Freeze an endpoint, or all with None, until an instant or until somebody thaws it.

    Raises: NotFound, InvalidInput, FrozenAlready.
    """
    uow.by.require(Role.OPERATOR)
    _check_reason(reason)
    if until is not None and until.tzinfo is None:
        raise InvalidInput(field="until", value=until.isoformat(), wanted="an instant with a time zone")
    now = uow.clock.now()
    if until is not None and until <= now:
        raise InvalidInput(field="until", value=until.isoformat(), wanted="an instant that is still to come")
    routing.bump(uow)  # others who freeze wait here, so that one endpoint has one freeze
    if endpoint is not None and uow.session.get(EndpointRow, endpoint) is None:
        raise NotFound(noun="endpoint", name=endpoint)
    present = _newest_active(uow, endpoint, now)
    if present is not None:
        raise FrozenAlready(what=_what(endpoint), by=present.began_by, reason=present.reason)
    row = FreezeRow(
        id=uow.ids.new("freeze"),
        endpoint=endpoint,
        reason=reason.strip(),
        until=until,
        began_at=now,
        began_by=uow.by.name,
        ended_at=None,
        ended_by=None,
    )
    uow.session.add(row)
    uow.audit("release.frozen", _target(endpoint), reason=row.reason, until=until.isoformat() if until else None)
    uow.ring("rollouts")
    return _freeze(row)


def thaw(uow: UnitOfWork, endpoint: str | None) -> Freeze:
    """End the freeze of an endpoint, or with None the one of all. Raises: NothingFrozen."""
    uow.by.require(Role.OPERATOR)
    routing.bump(uow)
    row = _newest_active(uow, endpoint, uow.clock.now())
    if row is None:
        raise NothingFrozen(what=_what(endpoint))
    row.ended_at, row.ended_by = uow.clock.now(), uow.by.name
    uow.audit("release.thawed", _target(endpoint), freeze=row.id, reason=row.reason)
    uow.ring("rollouts")
    return _freeze(row)


def active(uow: UnitOfWork, endpoint: str | None = None) -> list[Freeze]:
    """Freezes that hold now, the newest first; of an endpoint those of all endpoints too."""
    uow.by.require(Role.VIEWER)
    query = _active(uow.clock.now())
    if endpoint is not None:
        query = query.where(or_(FreezeRow.endpoint == endpoint, FreezeRow.endpoint.is_(None)))
    return [_freeze(row) for row in uow.session.scalars(query)]


def listed(uow: UnitOfWork) -> list[Freeze]:
    """The newest freezes first, also those that are over."""
    uow.by.require(Role.VIEWER)
    query = select(FreezeRow).order_by(FreezeRow.began_at.desc(), FreezeRow.id.desc()).limit(LISTED)
    return [_freeze(row) for row in uow.session.scalars(query)]


def holding(uow: UnitOfWork, endpoint: str) -> str:
    """Why an endpoint's rollouts wait for a thaw, as a sentence; empty when they need not."""
    found = active(uow, endpoint)
    return told(found[0]) if found else ""


def told(freeze: Freeze) -> str:
    until = f" until {freeze.until:%Y-%m-%d %H:%MZ}" if freeze.until else ""
    return f"{_what(freeze.endpoint)} is frozen{until} by {freeze.began_by}: {freeze.reason}"


def _active(now: datetime) -> Select[FreezeRow]:
    still = or_(FreezeRow.until.is_(None), FreezeRow.until > now)
    return (
        select(FreezeRow).where(FreezeRow.ended_at.is_(None), still).order_by(FreezeRow.began_at.desc(), FreezeRow.id)
    )


def _newest_active(uow: UnitOfWork, endpoint: str | None, now: datetime) -> FreezeRow | None:
    where = FreezeRow.endpoint.is_(None) if endpoint is None else FreezeRow.endpoint == endpoint
    return uow.session.scalars(_active(now).where(where)).first()


def _check_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise InvalidInput(field="reason", value=reason, wanted=f"why, in 1 to {LONGEST_REASON} characters")


def _what(endpoint: str | None) -> str:
    return "every endpoint" if endpoint is None else f"endpoint {endpoint}"


def _target(endpoint: str | None) -> str:
    return "endpoints" if endpoint is None else f"endpoint/{endpoint}"


def _freeze(row: FreezeRow) -> Freeze:
    return Freeze(
        id=FreezeId(row.id),
        endpoint=row.endpoint,
        reason=row.reason,
        until=row.until,
        began_at=row.began_at,
        began_by=row.began_by,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )
