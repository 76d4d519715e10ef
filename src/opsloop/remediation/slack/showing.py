"""Post a message that asks, and rewrite it whenever something was decided: here, in the console or by time.

With the app's bot token Slack tells by what a message is known, so it is rewritten. A webhook tells nothing: its
message stays, and a second one says what became of the question.

Buttons are made by the job that posts them: their secrets are in no row, no payload and no notice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select

from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.registry import JobContext, job
from opsloop.core.notices import service as notices
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.monitoring.alerts import declaring
from opsloop.remediation.by import BY
from opsloop.remediation.models import Remediation
from opsloop.remediation.settings import RemediationSettings
from opsloop.remediation.slack import buttons, message, web_api
from opsloop.remediation.slack._tables import MessageRow
from opsloop.remediation.slack.standing import Standing, standing

log = structlog.get_logger()
KIND = "remediation.slack"
FOLLOWED = "remediation.followed"
BUSY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class _Told:
    """Args: said: what the message says then."""

    method: str
    body: dict[str, Any]
    said: str
    is_over: bool


def begin(uow: UnitOfWork, asked: Remediation, channel: str, *, is_webhook: bool) -> MessageRow | None:
    """A message for what is asked now; None when there is one already."""
    there = select(MessageRow.id).where(MessageRow.digest == asked.digest, MessageRow.channel == channel)
    if uow.session.scalar(there) is not None:
        return None
    row = MessageRow(
        id=uow.ids.new("message"),
        remediation=asked.id,
        digest=asked.digest,
        channel=channel,
        is_webhook=is_webhook,
        ts=None,
        shown_by=None,
    )
    uow.session.add(row)
    uow.session.flush()
    if not is_webhook:
        later(uow, row)
    later(uow, row, at=asked.expires_at)
    return row


def renew(uow: UnitOfWork, remediation: str | None = None) -> None:
    """Look again at what messages say. Args: remediation: None: of every one that may be asked."""
    query = select(MessageRow).where(MessageRow.is_over.is_(False))
    if remediation is not None:
        query = query.where(MessageRow.remediation == remediation)
    for row in uow.session.scalars(query):
        later(uow, row)


def later(uow: UnitOfWork, row: MessageRow, *, at: datetime | None = None) -> None:
    jobs.enqueue(uow, KIND, {"message": row.id}, run_after=at)


def is_rewritten(uow: UnitOfWork, asked: Remediation) -> bool:
    """Whether what becomes of a question is told by rewriting its message."""
    query = select(MessageRow.id).where(MessageRow.digest == asked.digest, MessageRow.is_webhook.is_(False))
    return uow.session.scalar(query.limit(1)) is not None


def answered_in_place(uow: UnitOfWork, asked: Remediation) -> None:
    """The message of a webhook in which somebody pressed says what came of it; of several nobody knows in which."""
    query = select(MessageRow).where(MessageRow.digest == asked.digest, MessageRow.is_over.is_(False))
    rows = uow.session.scalars(query).all()
    if len(rows) == 1 and not asked.waits:
        rows[0].is_over = True


@job(KIND)
def show(context: JobContext, payload: dict[str, Any]) -> None:
    workspace, message_id = context.workspace, str(payload["message"])
    told = context.patiently(lambda: _told(workspace, message_id, context.job_id))
    if told is None:
        return
    try:
        answer = web_api.call(workspace.section(RemediationSettings), told.method, told.body)
    except web_api.SlackAway as error:
        said = error.sentence
        context.patiently(lambda: _tried(workspace, message_id, said, may_pass=True))
    except web_api.SlackRefuses as error:
        said = error.sentence
        context.patiently(lambda: _tried(workspace, message_id, said, may_pass=False))
    else:
        ts = str(answer.get("ts") or "")
        context.patiently(lambda: _shown(workspace, message_id, told, ts))


def _told(workspace: Workspace, message_id: str, job_id: str) -> _Told | None:
    """What is to be sent; None when there is nothing, or another job is at it."""
    with workspace.writing(BY) as uow:
        row = uow.session.get(MessageRow, message_id, with_for_update=True)
        if row is None or row.is_over:
            return None
        if row.shown_by not in (None, job_id) and not jobs.get(uow, str(row.shown_by)).status.is_final:
            later(uow, row, at=uow.clock.now() + BUSY)
            return None
        now = standing(uow, row)
        if row.is_webhook:
            _follow(uow, row, now)
            return None
        if row.ts is None and not now.asks:
            row.is_over = not now.is_held
            return None
        if row.ts is not None and now.said == row.said:
            row.is_over = now.is_over
            return None
        row.shown_by = job_id
        body: dict[str, Any] = {"channel": row.channel}
        if now.asks:
            buttons.void(uow, row.remediation, row.digest)
            body |= message.asking(now.found, buttons.make(uow, now.found), said=now.said)
        else:
            body |= message.told(now.found, now.said)
        if row.ts is None:
            return _Told(web_api.POST, body | {"unfurl_links": False}, now.said, now.is_over)
        return _Told(web_api.UPDATE, body | {"ts": row.ts}, now.said, now.is_over)


def _follow(uow: UnitOfWork, row: MessageRow, now: Standing) -> None:
    """Say in a message of its own that the one which asked asks no more, or not while repairs are halted."""
    if now.asks or now.said == row.said:
        return
    row.said, row.is_over = now.said, not now.is_held
    channel = next((each for each in declaring.channels(uow) if each.name == row.channel), None)
    if channel is not None:
        what = "do nothing while that goes on" if now.is_held else "are good no more"
        body = message.told(now.found, f"{now.said}. The buttons above {what}")
        notices.deliver(uow, channel.url, body, kind=FOLLOWED, about=f"remediation/{row.remediation}")


def _shown(workspace: Workspace, message_id: str, told: _Told, ts: str) -> None:
    with workspace.writing(BY) as uow:
        row = uow.session.get_one(MessageRow, message_id, with_for_update=True)
        row.ts, row.said, row.shown_by, row.tries, row.is_over = row.ts or ts, told.said, None, 0, told.is_over


def _tried(workspace: Workspace, message_id: str, said: str, *, may_pass: bool) -> None:
    """Try again later, each time after longer; in the end leave it, on the record."""
    with workspace.writing(BY) as uow:
        row = uow.session.get_one(MessageRow, message_id, with_for_update=True)
        row.shown_by = None
        row.tries += 1
        if may_pass and row.tries <= len(notices.DELAYS_S):
            later(uow, row, at=uow.clock.now() + timedelta(seconds=notices.DELAYS_S[row.tries - 1]))
            return
        row.is_over = True
        uow.audit("remediation.message_failed", f"remediation/{row.remediation}", said=said, tries=row.tries)
        log.warning("slack_message_failed", remediation=row.remediation, error=said)
