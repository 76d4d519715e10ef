"""The trail as the database keeps it, byte for byte.

SQLite lets any column hold anything: text that is not UTF-8, bytes, nothing at all. It is asked for the bytes and for
whether they are stored as text. PostgreSQL holds columns to their type and checks the encoding itself.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Select, and_, cast, func, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from opsloop.core.audit._tables import AuditCheckpointRow, AuditEventRow, AuditHeadRow
from opsloop.core.audit.chain import FIELDS, GENESIS, StoredCheckpoint, StoredEvent, StoredHead

Events = Select[Any]
_COLUMNS: tuple[InstrumentedAttribute[str], ...] = tuple(getattr(AuditEventRow, name) for name in FIELDS)


def query(session: Session) -> Events:
    """All events; to be narrowed and ordered by whoever asks."""
    are_text: ColumnElement[bool] = true()
    if _is_sqlite(session):
        are_text = and_(*(func.typeof(column) == "text" for column in _COLUMNS))
    return select(AuditEventRow.seq, are_text, *(_raw(session, column) for column in _COLUMNS))


def events(session: Session, wanted: Events) -> Generator[StoredEvent, None, None]:
    with session.execute(wanted.execution_options(yield_per=500)) as rows:
        for row in rows:
            seq, are_text, *fields = tuple(row)
            raw = dict(zip(FIELDS, map(_bytes, fields), strict=True))
            yield StoredEvent(seq=seq, **raw, fault=None if are_text else "a field is not text any more")


def all_events(session: Session) -> Generator[StoredEvent, None, None]:
    """By ascending number."""
    return events(session, query(session).order_by(AuditEventRow.seq))


def checkpoints(session: Session) -> Generator[StoredCheckpoint, None, None]:
    """By ascending number of events."""
    columns = (_raw(session, column) for column in (AuditCheckpointRow.head, AuditCheckpointRow.signature))
    found: Select[Any] = select(AuditCheckpointRow.events, *columns).order_by(AuditCheckpointRow.events)
    with session.execute(found.execution_options(yield_per=500)) as rows:
        for count, head, signature in rows:
            yield StoredCheckpoint(count, _bytes(head), _bytes(signature))


def head(session: Session) -> StoredHead:
    """Of an empty trail when nothing is stored."""
    row = session.execute(select(AuditHeadRow.events, _raw(session, AuditHeadRow.head))).first()
    if row is None:
        return StoredHead(0, GENESIS.encode())
    count, digest = row
    return StoredHead(count if isinstance(count, int) else -1, _bytes(digest))


def _raw(session: Session, column: InstrumentedAttribute[str]) -> ColumnElement[Any]:
    return cast(column, LargeBinary) if _is_sqlite(session) else column.expression


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _bytes(field: str | bytes | None) -> bytes:
    return field.encode() if isinstance(field, str) else field or b""
