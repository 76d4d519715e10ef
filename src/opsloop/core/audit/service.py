"""Write, read, check and export the trail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import LargeBinary, cast, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from opsloop.core.audit import chain
from opsloop.core.audit._tables import AuditCheckpointRow, AuditEventRow, AuditHeadRow
from opsloop.core.audit.models import AuditEvent, Verification
from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork

_COLUMNS = ("id", "at", "actor", "action", "target", "detail", "previous", "hash")


class Recorder:
    """Appends a unit of work's records to the trail; part of every commit."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def __call__(self, uow: UnitOfWork) -> None:
        if not uow.records:
            return
        head = uow.session.get(AuditHeadRow, 1, with_for_update=True) or self._first(uow)
        at = uow.clock.now().isoformat(timespec="microseconds")
        for record in uow.records:
            fields = {
                "id": uow.ids.new("audit"),
                "at": at,
                "actor": uow.by.name,
                "action": record.action,
                "target": record.target,
                "detail": chain.canonical_detail(record.detail),
                "previous": head.head,
            }
            seq = head.events + 1
            digest = chain.event_hash(seq=seq, **fields)
            uow.session.add(AuditEventRow(seq=seq, hash=digest, **fields))
            head.events, head.head = seq, digest
        signature = chain.sign(self._key, head.events, head.head)
        uow.session.add(AuditCheckpointRow(events=head.events, head=head.head, signature=signature))
        uow.ring("audit")

    def _first(self, uow: UnitOfWork) -> AuditHeadRow:
        """The head of an empty trail. Two transactions may want to write the first event at once: one makes the row."""
        insert = sqlite.insert if uow.workspace.database.is_sqlite else postgresql.insert
        statement = insert(AuditHeadRow).values(id=1, events=0, head=chain.GENESIS)
        uow.session.execute(statement.on_conflict_do_nothing(index_elements=["id"]))
        return uow.session.get_one(AuditHeadRow, 1, with_for_update=True)


def listed(
    uow: UnitOfWork,
    *,
    target: str | None = None,
    action: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[AuditEvent]:
    """The newest events first; `before` continues a listing at the seq it ended with."""
    uow.by.require(Role.VIEWER)
    query = select(AuditEventRow).order_by(AuditEventRow.seq.desc()).limit(min(limit, 1_000))
    if target is not None:
        query = query.where(AuditEventRow.target.startswith(target, autoescape=True))
    if action is not None:
        query = query.where(AuditEventRow.action.startswith(action, autoescape=True))
    if before is not None:
        query = query.where(AuditEventRow.seq < before)
    return [_event(row) for row in uow.session.scalars(query)]


def verify(uow: UnitOfWork, key: Ed25519PublicKey) -> Verification:
    """Check the whole trail as it is stored, byte for byte."""
    return chain.verify(_stored_events(uow.session), _stored_checkpoints(uow.session), key)


def export(uow: UnitOfWork) -> Iterator[bytes]:
    """The trail as JSON lines: events, then checkpoints. With the public key it can be checked anywhere."""
    uow.by.require(Role.VIEWER)
    for row in uow.session.scalars(select(AuditEventRow).order_by(AuditEventRow.seq).execution_options(yield_per=500)):
        fields: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
        yield rfc8785.dumps({"kind": "event", "seq": row.seq, **fields}) + b"\n"
    for mark in uow.session.scalars(select(AuditCheckpointRow).order_by(AuditCheckpointRow.events)):
        body: dict[str, Any] = {"kind": "checkpoint", "events": mark.events, "head": mark.head}
        yield rfc8785.dumps({**body, "signature": mark.signature}) + b"\n"


def _stored_events(session: Session) -> Iterator[chain.StoredEvent]:
    raw = [cast(getattr(AuditEventRow, name), LargeBinary) for name in _COLUMNS]
    if session.get_bind().dialect.name == "postgresql":
        raw = [getattr(AuditEventRow, name) for name in _COLUMNS]
    query = select(AuditEventRow.seq, *raw).order_by(AuditEventRow.seq).execution_options(yield_per=500)
    for seq, *fields in session.execute(query):
        yield chain.StoredEvent(seq, *(_bytes(field) for field in fields))


def _stored_checkpoints(session: Session) -> Iterator[chain.StoredCheckpoint]:
    query = select(AuditCheckpointRow.events, AuditCheckpointRow.head, AuditCheckpointRow.signature)
    for events, head, signature in session.execute(query.order_by(AuditCheckpointRow.events)):
        yield chain.StoredCheckpoint(events, _bytes(head), _bytes(signature))


def _bytes(field: str | bytes) -> bytes:
    return field.encode() if isinstance(field, str) else bytes(field)


def _event(row: AuditEventRow) -> AuditEvent:
    return AuditEvent(
        seq=row.seq,
        id=row.id,
        at=row.at,
        actor=row.actor,
        action=row.action,
        target=row.target,
        detail=json.loads(row.detail),
        previous=row.previous,
        hash=row.hash,
    )
