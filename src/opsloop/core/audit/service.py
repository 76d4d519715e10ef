"""Write, read, check and export the trail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from opsloop.core.audit import _stored, chain, exported, verification
from opsloop.core.audit._tables import AuditCheckpointRow, AuditEventRow, AuditHeadRow
from opsloop.core.audit.models import AuditEvent, Verification
from opsloop.core.caller import Role
from opsloop.core.errors import Failed
from opsloop.core.workspace import UnitOfWork


class TrailBroken(Failed):
    template = (
        "nothing can be recorded: the audit trail has another event {event} already; "
        "see `opsloop audit verify`, and restore the state database from a backup"
    )


class Recorder:
    """Appends a unit of work's records to the trail; part of every commit."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def __call__(self, uow: UnitOfWork) -> None:
        """Raises: TrailBroken."""
        if not uow.records:
            return
        head = uow.session.get(AuditHeadRow, 1, with_for_update=True) or self._first(uow)
        uow.session.flush()
        first, after = head.events + 1, head.events
        self._append(uow, head)
        signature = chain.sign(self._key, events=head.events, head=head.head, after=after)
        uow.session.add(AuditCheckpointRow(events=head.events, head=head.head, signature=signature))
        try:
            uow.session.flush()
        except IntegrityError as error:
            raise TrailBroken(event=first) from error
        uow.ring("audit")

    def _append(self, uow: UnitOfWork, head: AuditHeadRow) -> None:
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
    query = _stored.query(uow.session).order_by(AuditEventRow.seq.desc()).limit(min(limit, 1_000))
    if target is not None:
        query = query.where(AuditEventRow.target.startswith(target, autoescape=True))
    if action is not None:
        query = query.where(AuditEventRow.action.startswith(action, autoescape=True))
    if before is not None:
        query = query.where(AuditEventRow.seq < before)
    return [_event(stored) for stored in _stored.events(uow.session, query)]


def verify(uow: UnitOfWork, key: Ed25519PublicKey) -> Verification:
    """Check the whole trail as it is stored, byte for byte."""
    uow.by.require(Role.VIEWER)
    head = _stored.head(uow.session)
    with closing(_stored.all_events(uow.session)) as events, closing(_stored.checkpoints(uow.session)) as marks:
        return verification.verify(events, marks, key, head=head)


def export(uow: UnitOfWork) -> Iterator[bytes]:
    """The trail as JSON lines: events, then checkpoints. With the public key it can be checked anywhere."""
    uow.by.require(Role.VIEWER)
    return exported.lines(_stored.all_events(uow.session), _stored.checkpoints(uow.session))


def _event(stored: chain.StoredEvent) -> AuditEvent:
    """An event for people to read; what is damaged in it is shown as well as it can be."""
    text = {name: getattr(stored, name).decode(errors="replace") for name in chain.FIELDS}
    return AuditEvent(seq=stored.seq, **{**text, "detail": _detail(text["detail"])})


def _detail(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"unreadable": text}
