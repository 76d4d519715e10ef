"""Read stored log records in the order in which they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.telemetry._tables import LogRow


@dataclass(frozen=True, slots=True)
class StoredLog:
    """Args: seq: rises in the order of storing; severity: OpenTelemetry's number, 1 to 24, 0 when unknown."""

    seq: int
    at_us: int
    service: str
    severity: int
    body: str


def last(uow: UnitOfWork) -> int:
    """The number of the newest record; 0 without one."""
    return uow.session.scalar(select(func.max(LogRow.seq))) or 0


def after(uow: UnitOfWork, seq: int, *, to: int, limit: int) -> Sequence[StoredLog]:
    """The records numbered over `seq` and up to `to`, at most `limit`.

    On PostgreSQL a record of a low number may become visible after one of a higher number: whoever reads on must leave
    the newest for a while.
    """
    columns = (LogRow.seq, LogRow.at_us, LogRow.service, LogRow.severity, LogRow.body)
    asked = select(*columns).where(LogRow.seq > seq, LogRow.seq <= to).order_by(LogRow.seq).limit(limit)
    return [StoredLog(*row) for row in uow.session.execute(asked)]


def between(uow: UnitOfWork, since_us: int, until_us: int, *, limit: int, newest: bool = False) -> list[StoredLog]:
    """Records of a time, oldest first, at most `limit`. Args: newest: of more the newest, else the oldest."""
    columns = (LogRow.seq, LogRow.at_us, LogRow.service, LogRow.severity, LogRow.body)
    order = (LogRow.at_us.desc(), LogRow.seq.desc()) if newest else (LogRow.at_us, LogRow.seq)
    asked = select(*columns).where(LogRow.at_us >= since_us, LogRow.at_us < until_us).order_by(*order).limit(limit)
    found = [StoredLog(*row) for row in uow.session.execute(asked)]
    return found[::-1] if newest else found
