"""Buttons: each is one answer to one question, known by a secret, good once and until the question lapses."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, update

from opsloop.core.errors import Conflict
from opsloop.core.workspace import UnitOfWork
from opsloop.remediation.models import Remediation
from opsloop.remediation.slack._tables import ButtonRow

_SECRET_BYTES = 32
KEPT = timedelta(days=7)


class ButtonIsOver(Conflict):
    template = "this button is good no more: it was pressed before, or belongs to another question; look at the repair"


@dataclass(frozen=True, slots=True)
class Pair:
    """What Slack is told of the two buttons of a message."""

    yes: str
    no: str


@dataclass(frozen=True, slots=True)
class Pressed:
    remediation: str
    digest: str
    is_yes: bool


def make(uow: UnitOfWork, asked: Remediation) -> Pair:
    """Two buttons for what is asked now."""
    uow.session.execute(delete(ButtonRow).where(ButtonRow.expires_at < uow.clock.now() - KEPT))
    return Pair(_made(uow, asked, is_yes=True), _made(uow, asked, is_yes=False))


def press(uow: UnitOfWork, secret: str) -> Pressed:
    """Use a button up, in this transaction; of two that press at once, one does. Raises: ButtonIsOver."""
    mark = _mark(secret)
    used = update(ButtonRow).where(ButtonRow.mark == mark, ButtonRow.used_at.is_(None))
    done = cast(CursorResult[Any], uow.session.execute(used.values(used_at=uow.clock.now())))
    row = uow.session.get(ButtonRow, mark, populate_existing=True) if done.rowcount == 1 else None
    if row is None:
        raise ButtonIsOver
    void(uow, row.remediation, row.digest)
    return Pressed(row.remediation, row.digest, row.is_yes)


def void(uow: UnitOfWork, remediation: str, digest: str | None = None) -> None:
    """Let no button of a question be good any more. Args: digest: of the question; None: every one of the repair."""
    query = update(ButtonRow).where(ButtonRow.remediation == remediation, ButtonRow.used_at.is_(None))
    if digest is not None:
        query = query.where(ButtonRow.digest == digest)
    uow.session.execute(query.values(used_at=uow.clock.now()))


def _made(uow: UnitOfWork, asked: Remediation, *, is_yes: bool) -> str:
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    row = ButtonRow(
        mark=_mark(secret),
        remediation=asked.id,
        digest=asked.digest,
        is_yes=is_yes,
        expires_at=asked.expires_at,
        used_at=None,
    )
    uow.session.add(row)
    uow.session.flush()
    return secret


def _mark(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
