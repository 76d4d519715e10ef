"""Take tickets in, and find them again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.db.order import one_after_another
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.feedback import words
from opsloop.feedback.tickets._tables import TicketRow
from opsloop.feedback.tickets.models import Ticket, TicketGiven, TicketId, TicketsTaken

AT_ONCE = 1_000
MAX_SUBJECT, MAX_BODY, MAX_WORD, MAX_LINK = 500, 50_000, 100, 2_000
# A help desk's clock may be ahead of ours.
_AHEAD = timedelta(days=1)
_SYSTEM = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
_OUTER_ID = re.compile(r"[^\s\x00-\x1f\x7f\ud800-\udfff]{1,200}")


def take(uow: UnitOfWork, system: str, given: Sequence[TicketGiven]) -> TicketsTaken:
    """Keep tickets of a help desk; one that is known already takes its new state, however often it comes.

    Args:
        system: the help desk's name, such as `zendesk`; ids are unique within it.
    Raises: InvalidInput naming the ticket and its field; nothing is kept then.
    """
    uow.by.require(Role.DEVELOPER)
    if not _SYSTEM.fullmatch(system):
        raise InvalidInput(field="system", value=system, wanted="1 to 60 lower-case letters, digits and ._-")
    if not 0 < len(given) <= AT_ONCE:
        raise InvalidInput(field="items", value=len(given), wanted=f"1 to {AT_ONCE:,} tickets")
    checked = {each.id: _checked(uow, at, each) for at, each in enumerate(given)}  # of one id the last counts
    one_after_another(uow.session, TicketRow.__tablename__)
    there = {
        row.outer_id: row
        for row in uow.session.scalars(
            select(TicketRow).where(TicketRow.system == system, TicketRow.outer_id.in_(checked))
        )
    }
    created = updated = 0
    for outer_id, values in checked.items():
        row = there.get(outer_id)
        if row is None:
            opened_at = values.pop("opened_at") or uow.clock.now()
            uow.session.add(
                TicketRow(
                    id=uow.ids.new("ticket"),
                    system=system,
                    outer_id=outer_id,
                    opened_at=opened_at,
                    imported_at=uow.clock.now(),
                    imported_by=uow.by.name,
                    **values,
                )
            )
            created += 1
        elif changed := {name: value for name, value in values.items() if _differs(row, name, value)}:
            for name, value in changed.items():
                setattr(row, name, value)
            row.imported_at, row.imported_by = uow.clock.now(), uow.by.name
            updated += 1
    uow.session.flush()
    if created or updated:
        uow.audit("tickets.imported", f"help-desk/{system}", created=created, updated=updated)
    return TicketsTaken(system, created, updated, len(checked) - created - updated)


def newest(
    uow: UnitOfWork,
    *,
    system: str | None = None,
    request_id: str | None = None,
    requests: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before_seq: int | None = None,
    limit: int = 100,
) -> list[Ticket]:
    """The tickets that were taken in last first; `since` and `until` are of when they were opened."""
    uow.by.require(Role.VIEWER)
    query = select(TicketRow).order_by(TicketRow.seq.desc())
    for column, value in ((TicketRow.system, system), (TicketRow.request_id, request_id)):
        if value is not None:
            query = query.where(column == value)
    if requests is not None:
        query = query.where(TicketRow.request_id.in_(requests))
    if ids is not None:
        query = query.where(TicketRow.id.in_(ids))
    if since is not None:
        query = query.where(TicketRow.opened_at >= since)
    if until is not None:
        query = query.where(TicketRow.opened_at < until)
    if before_seq is not None:
        query = query.where(TicketRow.seq < before_seq)
    return [_ticket(row) for row in uow.session.scalars(query.limit(max(1, min(limit, 10_000))))]


def erase(uow: UnitOfWork, system: str, outer_id: str) -> None:
    """Let go of a ticket, such as when the help desk had to. Raises: NotFound."""
    uow.by.require(Role.DEVELOPER)
    row = None
    if _SYSTEM.fullmatch(system) and _OUTER_ID.fullmatch(outer_id):
        row = uow.session.scalar(select(TicketRow).where(TicketRow.system == system, TicketRow.outer_id == outer_id))
    if row is None:
        raise NotFound(noun="ticket", name=f"{system}/{outer_id}")
    uow.session.delete(row)
    uow.audit("ticket.erased", f"help-desk/{system}", ticket=outer_id)


def _differs(row: TicketRow, name: str, value: Any) -> bool:
    if name == "opened_at" and value is None:  # it was given once, or is when it first came
        return False
    return bool(getattr(row, name) != value)


def _checked(uow: UnitOfWork, at: int, given: TicketGiven) -> dict[str, Any]:
    """The columns of a ticket that the help desk decides."""
    field = f"items.{at}"
    if not _OUTER_ID.fullmatch(given.id):
        raise InvalidInput(field=f"{field}.id", value=given.id, wanted="1 to 200 characters without spaces")
    try:
        subject = words.cleaned("subject", given.subject, limit=MAX_SUBJECT)
        body = words.cleaned("body", given.body, limit=MAX_BODY)
        if subject is None and body is None:
            raise InvalidInput(field="subject", value=given.subject, wanted="text here or in body")
        return {
            "subject": subject or "",
            "body": body or "",
            "category": words.cleaned("category", given.category, limit=MAX_WORD),
            "status": words.cleaned("status", given.status, limit=MAX_WORD),
            "priority": words.cleaned("priority", given.priority, limit=MAX_WORD),
            "tags": words.tags("tags", given.tags),
            "request_id": words.request_id(given.request_id) if given.request_id else None,
            "endpoint": words.cleaned("endpoint", given.endpoint, limit=MAX_WORD),
            "link": _link(given.link),
            "opened_at": _opened(uow, given.opened_at),
        }
    except InvalidInput as error:
        raise InvalidInput(f"{field}.{error.sentence}", field=f"{field}.{error.facts['field']}") from None


def _link(given: str | None) -> str | None:
    """An address that a page may link to: http or https, without a password in it."""
    if not given:
        return None
    try:
        parts = urlsplit(given)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        is_good = False
    if not is_good or len(given) > MAX_LINK or not given.isprintable() or " " in given:
        raise InvalidInput(field="link", value=given, wanted="a URL such as https://desk.example.com/tickets/17")
    return given


def _opened(uow: UnitOfWork, given: datetime | None) -> datetime | None:
    if given is None:
        return None
    at = given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
    if not datetime(1990, 1, 1, tzinfo=UTC) <= at <= uow.clock.now() + _AHEAD:
        raise InvalidInput(field="opened_at", value=given.isoformat(), wanted="a moment after 1990 that is past")
    return at


def _ticket(row: TicketRow) -> Ticket:
    return Ticket(
        id=TicketId(row.id),
        seq=row.seq,
        system=row.system,
        outer_id=row.outer_id,
        request_id=row.request_id,
        endpoint=row.endpoint,
        subject=row.subject,
        body=row.body,
        category=row.category,
        status=row.status,
        priority=row.priority,
        tags=tuple(row.tags),
        link=row.link,
        opened_at=row.opened_at,
        imported_at=row.imported_at,
        imported_by=row.imported_by,
    )
