"""What is known of who calls whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.settings import IncidentSettings
from opsloop.incidents.topology._tables import CallRow
from opsloop.incidents.topology.models import SeenCall

MOST = 2_000
Pair = tuple[str, str]


def seen(uow: UnitOfWork, *, limit: int = MOST) -> list[SeenCall]:
    """Calls that traces showed within the window that the settings give, those that were seen last first."""
    uow.by.require(Role.VIEWER)
    query = select(
        CallRow.caller, CallRow.callee, CallRow.calls, CallRow.errors, CallRow.first_at, CallRow.seen_at
    ).where(CallRow.seen_at >= _since(uow))
    query = query.order_by(CallRow.seen_at.desc(), CallRow.calls.desc(), CallRow.caller, CallRow.callee).limit(limit)
    return [SeenCall(*row) for row in uow.session.execute(query)]


def declared(uow: UnitOfWork) -> Iterator[Pair]:
    """Calls that the settings declare; a name without a kind is a service's."""
    for one, others in uow.workspace.section(IncidentSettings).incident_topology.items():
        for other in others:
            yield _name(one), _name(other)


def pairs(uow: UnitOfWork, *, limit: int = MOST) -> list[Pair]:
    """Who calls whom: what is declared, and what traces showed of late."""
    query = select(CallRow.caller, CallRow.callee).where(CallRow.seen_at >= _since(uow))
    query = query.order_by(CallRow.seen_at.desc(), CallRow.calls.desc()).limit(limit)
    return [*declared(uow), *((caller, callee) for caller, callee in uow.session.execute(query))]


def _since(uow: UnitOfWork) -> datetime:
    return uow.clock.now() - timedelta(hours=uow.workspace.section(IncidentSettings).incident_topology_h)


def _name(given: str) -> str:
    return given if ":" in given else f"service:{given}"
