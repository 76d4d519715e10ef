"""Open, claim, answer and close cases. Of two who claim one, one gets it."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select

from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.guardrails.policy import Policy
from opsloop.guardrails.redaction import redacted
from opsloop.guardrails.settings import GuardrailSettings
from opsloop.guardrails.support._tables import CaseRow
from opsloop.guardrails.support.errors import CaseHeld, CaseIsPast, CaseNotClaimed, NoSuchTicket, QueueFull
from opsloop.guardrails.support.models import Answered, Case, CaseId, CaseState, Said, Ticket

BELL = "support"
MOST_MESSAGES, MOST_CHARS, MAX_ANSWER = 40, 8_000, 20_000
# Neither database keeps these in text.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def keepable(conversation: Sequence[Said], policy: Policy) -> list[Said]:
    """What of a conversation is kept: its newest messages, cut, and without personal data where the policy says so."""
    return [Said(each.role, _keepable(each.text, policy)) for each in conversation[-MOST_MESSAGES:]]


def _keepable(text: str, policy: Policy) -> str:
    # Looked through before it is cut: half an address is one too.
    text = redacted(text[: 4 * MOST_CHARS]) if policy.stored == "redact" else text
    return _UNSTORABLE.sub("\ufffd", text if len(text) <= MOST_CHARS else f"{text[: MOST_CHARS - 1]}…")


def open_case(
    uow: UnitOfWork, endpoint: str, request_id: str, conversation: Sequence[Said], *, kinds: Sequence[str], release: str
) -> Ticket:
    """Put a conversation into the queue. Args: conversation: as `keepable` gives it. Raises: QueueFull."""
    waits = counted(uow, CaseState.OPEN)
    if waits >= uow.workspace.section(GuardrailSettings).support_most_open:
        raise QueueFull(waiting=waits)
    token = secrets.token_urlsafe(32)
    row = CaseRow(
        id=uow.ids.new("case"),
        endpoint=endpoint,
        release=release,
        request_id=request_id,
        kinds=list(kinds),
        state=CaseState.OPEN.value,
        conversation=[{"role": each.role, "text": each.text} for each in conversation],
        token=_hash(token),
        opened_at=uow.clock.now(),
    )
    uow.session.add(row)
    uow.session.flush()
    uow.audit("support.opened", f"case/{row.id}", endpoint=endpoint, request=request_id, kinds=list(kinds))
    uow.ring(BELL)
    return Ticket(CaseId(row.id), token)


def listed(
    uow: UnitOfWork, *, state: CaseState | None = None, endpoint: str | None = None, before: str | None = None,
    limit: int = 100,
) -> list[Case]:  # fmt: skip
    """Cases, the newest first. Args: before: only those older than this case. Raises: NotFound."""
    uow.by.require(Role.VIEWER)
    query = select(CaseRow).order_by(CaseRow.seq.desc())
    if state is not None:
        query = query.where(CaseRow.state == state.value)
    if endpoint is not None:
        query = query.where(CaseRow.endpoint == endpoint)
    if before is not None:
        query = query.where(CaseRow.seq < _found(uow, before).seq)
    return [_case(row) for row in uow.session.scalars(query.limit(max(1, min(limit, 1_000))))]


def counted(uow: UnitOfWork, *states: CaseState) -> int:
    """How many cases are in one of these states."""
    uow.by.require(Role.VIEWER)
    wanted = [state.value for state in states]
    return uow.session.scalar(select(func.count()).where(CaseRow.state.in_(wanted))) or 0


def waiting(uow: UnitOfWork) -> int:
    """How many cases nobody has answered yet."""
    return counted(uow, CaseState.OPEN, CaseState.CLAIMED)


def get(uow: UnitOfWork, case: str) -> Case:
    """Raises: NotFound."""
    uow.by.require(Role.VIEWER)
    return _case(_found(uow, case))


def claim(uow: UnitOfWork, case: str, *, take_over: bool = False) -> Case:
    """Take a case, so that nobody else answers it. Raises: NotFound, CaseHeld, CaseIsPast."""
    row = _locked(uow, case)
    _check_going_on(row)
    if row.claimed_by == uow.by.name:
        return _case(row)
    if row.claimed_by is not None and not take_over:
        raise CaseHeld(case=row.id, by=row.claimed_by)
    uow.audit("support.claimed", f"case/{row.id}", taken_from=row.claimed_by)
    row.state, row.claimed_by, row.claimed_at = CaseState.CLAIMED.value, uow.by.name, uow.clock.now()
    return _changed(uow, row)


def answer(uow: UnitOfWork, case: str, text: str) -> Case:
    """Answer a case that one has claimed. Raises: InvalidInput, NotFound, CaseNotClaimed, CaseHeld, CaseIsPast."""
    text = _answer(text)
    row = _locked(uow, case)
    _check_going_on(row)
    if row.claimed_by is None:
        raise CaseNotClaimed(case=row.id)
    if row.claimed_by != uow.by.name:
        raise CaseHeld(case=row.id, by=row.claimed_by)
    row.state, row.answer = CaseState.ANSWERED.value, text
    row.answered_by, row.answered_at = uow.by.name, uow.clock.now()
    uow.audit("support.answered", f"case/{row.id}", characters=len(text))
    return _changed(uow, row)


def close(uow: UnitOfWork, case: str) -> Case:
    """End a case, answered or not. Raises: NotFound, CaseHeld, CaseIsPast."""
    row = _locked(uow, case)
    if row.state == CaseState.CLOSED.value:
        raise CaseIsPast(case=row.id, state=row.state)
    if row.state == CaseState.CLAIMED.value and row.claimed_by != uow.by.name:
        raise CaseHeld(case=row.id, by=row.claimed_by)
    uow.audit("support.closed", f"case/{row.id}", answered=row.answer is not None)
    row.state, row.closed_by, row.closed_at = CaseState.CLOSED.value, uow.by.name, uow.clock.now()
    return _changed(uow, row)


def prune(uow: UnitOfWork) -> int:
    """Delete cases that were closed too long ago to be kept; how many."""
    kept_for = timedelta(days=uow.workspace.section(GuardrailSettings).support_kept_days)
    gone = uow.session.execute(
        delete(CaseRow).where(CaseRow.state == CaseState.CLOSED.value, CaseRow.closed_at < uow.clock.now() - kept_for)
    )
    return cast(CursorResult[Any], gone).rowcount


def of_ticket(uow: UnitOfWork, ticket: str, token: str) -> Answered:
    """What a caller may know of its ticket. Raises: NoSuchTicket, also for a ticket that is there."""
    row = uow.session.scalar(select(CaseRow).where(CaseRow.id == ticket))
    kept = row.token if row is not None else _hash("")
    if not hmac.compare_digest(_hash(token), kept) or row is None:
        raise NoSuchTicket(ticket=ticket)
    return Answered(CaseId(row.id), CaseState(row.state), row.answer, row.answered_at)


def _answer(text: str) -> str:
    if not text.strip():
        raise InvalidInput(field="answer", value=text, wanted="a text")
    if len(text) > MAX_ANSWER:
        raise InvalidInput(field="answer", value=text, wanted=f"at most {MAX_ANSWER} characters")
    if _UNSTORABLE.search(text):
        raise InvalidInput(field="answer", value=text, wanted="text without NUL characters and lone surrogates")
    return text.strip()


def _check_going_on(row: CaseRow) -> None:
    if row.state in (CaseState.ANSWERED.value, CaseState.CLOSED.value):
        raise CaseIsPast(case=row.id, state=row.state)


def _locked(uow: UnitOfWork, case: str) -> CaseRow:
    """The row as it is now; others who change it wait until this unit of work ends."""
    uow.by.require(Role.OPERATOR)
    query = select(CaseRow).where(CaseRow.id == case).with_for_update().execution_options(populate_existing=True)
    row = uow.session.scalar(query)
    if row is None:
        raise NotFound(noun="case", name=case)
    return row


def _changed(uow: UnitOfWork, row: CaseRow) -> Case:
    uow.session.flush()
    uow.ring(BELL)
    return _case(row)


def _found(uow: UnitOfWork, case: str) -> CaseRow:
    row = uow.session.scalar(select(CaseRow).where(CaseRow.id == case))
    if row is None:
        raise NotFound(noun="case", name=case)
    return row


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _said(kept: dict[str, Any]) -> Said:
    return Said(kept["role"], kept["text"])


def _case(row: CaseRow) -> Case:
    return Case(
        id=CaseId(row.id),
        endpoint=row.endpoint,
        release=row.release,
        request_id=row.request_id,
        kinds=tuple(row.kinds),
        state=CaseState(row.state),
        conversation=tuple(_said(each) for each in row.conversation),
        claimed_by=row.claimed_by,
        answer=row.answer,
        answered_by=row.answered_by,
        closed_by=row.closed_by,
        opened_at=row.opened_at,
        claimed_at=row.claimed_at,
        answered_at=row.answered_at,
        closed_at=row.closed_at,
    )
