"""The kill switch: while it is on, nothing acts, whoever said yes."""

from __future__ import annotations

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import UnitOfWork
from opsloop.remediation._tables import HaltRow
from opsloop.remediation.errors import Halted, HaltedAlready, NotHalted
from opsloop.remediation.events import RemediationHalted, RemediationResumed
from opsloop.remediation.models import Halt

BELL = "remediations"
LONGEST_REASON = 1_000


def begin(uow: UnitOfWork, *, reason: str) -> Halt:
    """Halt every repair, also those that were approved and have not acted. Raises: InvalidInput, HaltedAlready."""
    uow.by.require(Role.OPERATOR)
    if not reason.strip() or len(reason) > LONGEST_REASON or "\0" in reason:
        raise InvalidInput(field="reason", value=reason, wanted=f"why, in 1 to {LONGEST_REASON} characters")
    if (there := present(uow)) is not None:
        raise HaltedAlready(by=there.began_by, reason=there.reason)
    row = HaltRow(
        active=1, began_at=uow.clock.now(), began_by=uow.by.name, reason=reason.strip(), ended_at=None, ended_by=None
    )
    uow.session.add(row)
    uow.session.flush()
    uow.audit("remediation.halted", "remediations", reason=row.reason)
    uow.emit(RemediationHalted(uow.by.name, row.reason))
    uow.ring(BELL)
    return _halt(row)


def end(uow: UnitOfWork) -> Halt:
    """Let repairs act again. Raises: NotHalted."""
    uow.by.require(Role.OPERATOR)
    row = _present(uow)
    if row is None:
        raise NotHalted
    row.active, row.ended_at, row.ended_by = None, uow.clock.now(), uow.by.name
    uow.audit("remediation.resumed", "remediations", reason=row.reason)
    uow.emit(RemediationResumed(uow.by.name, row.reason))
    uow.ring(BELL)
    return _halt(row)


def present(uow: UnitOfWork) -> Halt | None:
    """The halt that goes on."""
    row = _present(uow)
    return _halt(row) if row is not None else None


def check(uow: UnitOfWork) -> None:
    """Raises: Halted."""
    if (halt := present(uow)) is not None:
        raise Halted(by=halt.began_by, at=f"{halt.began_at:%Y-%m-%d %H:%MZ}", reason=halt.reason)


def _present(uow: UnitOfWork) -> HaltRow | None:
    return uow.session.scalars(select(HaltRow).where(HaltRow.active == 1)).one_or_none()


def _halt(row: HaltRow) -> Halt:
    return Halt(row.began_at, row.began_by, row.reason, row.ended_at, row.ended_by)
