"""One attempt to deliver a notice, as a job: what fails asks for the next one, later each time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from opsloop._version import __version__
from opsloop.core.caller import system
from opsloop.core.jobs.registry import JobContext, job
from opsloop.core.notices import address, service, signatures
from opsloop.core.notices.errors import AddressInvalid
from opsloop.core.notices.models import DeliveryState
from opsloop.core.notices.settings import NoticeSettings
from opsloop.core.workspace import Workspace

if TYPE_CHECKING:
    from opsloop.core.notices.sending import Answer

log = structlog.get_logger()
_BY = system("notices")
_LONGEST_WAIT_S = 3_600.0


@dataclass(frozen=True, slots=True)
class _Outcome:
    status: int | None
    error: str | None
    is_lasting: bool = False
    retry_after_s: float | None = None


@job(service.KIND)
def deliver(context: JobContext, payload: dict[str, Any]) -> None:
    """Try once. A process killed between the answer and the note of it sends it again, under the same id."""
    workspace, delivery = context.workspace, str(payload["delivery"])
    outcome = _attempted(workspace, delivery)
    if outcome is not None:
        context.patiently(lambda: _note(workspace, delivery, outcome))


def _attempted(workspace: Workspace, delivery: str) -> _Outcome | None:
    from opsloop.core.notices.sending import send  # httpx: only where something is sent

    with workspace.reading(_BY) as uow:
        row = service.row_of(uow, delivery)
    if DeliveryState(row.state).is_final or row.url is None:
        return None
    try:
        url = address.resolved("url", row.url)
        address.check(url)
        secret = address.resolved("secret", row.secret) if row.secret else None
    except AddressInvalid as error:
        return _Outcome(None, error.sentence)
    body = row.body.encode()
    if address.is_mail(url):
        from opsloop.core.notices import mail  # the same

        settings = workspace.section(NoticeSettings)
        return _outcome(mail.send(url, body, id=row.id, settings=settings, clock=workspace.clock))
    headers = _headers(row.id, row.kind)
    if secret is not None:
        headers[signatures.HEADER] = signatures.stamped(secret, body, workspace.clock.now())
    answer = send(url, body, headers, timeout_s=workspace.section(NoticeSettings).notice_timeout_s)
    return _outcome(answer)


def _outcome(answer: Answer) -> _Outcome:
    return _Outcome(answer.status, answer.error, answer.is_lasting, answer.retry_after_s)


def _headers(delivery: str, kind: str) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "user-agent": f"opsloop/{__version__}",
        "X-Opsloop-Delivery": delivery,
        "X-Opsloop-Event": kind,
    }


def _note(workspace: Workspace, delivery: str, outcome: _Outcome) -> None:
    with workspace.writing(_BY) as uow:
        row = service.row_of(uow, delivery)
        if DeliveryState(row.state).is_final:
            return
        row.attempts += 1
        row.status, row.error = outcome.status, outcome.error
        if outcome.error is None:
            service.end(uow, row, DeliveryState.DELIVERED)
        elif outcome.is_lasting or row.attempts > len(service.DELAYS_S):
            service.end(uow, row, DeliveryState.FAILED)
            uow.audit("notice.failed", f"delivery/{row.id}", to=row.to, attempts=row.attempts, error=outcome.error)
            log.warning("notice_not_delivered", delivery=row.id, to=row.to, error=outcome.error)
        else:
            wanted_s = min(outcome.retry_after_s or 0.0, _LONGEST_WAIT_S)
            service.enqueue(uow, row, after_s=max(service.DELAYS_S[row.attempts - 1], wanted_s))
