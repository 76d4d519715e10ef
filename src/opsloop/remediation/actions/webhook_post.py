"""Tell another system, by a webhook of the settings, to do something that it knows how to do.

The body is signed as notices are, and has the same id at each try: a receiver that did it already leaves it.
"""

from __future__ import annotations

import json

from pydantic import Field

from opsloop._version import __version__
from opsloop.core.artifacts.store import sha256_hex
from opsloop.core.errors import NotFound, Unavailable
from opsloop.core.notices import address, signatures
from opsloop.core.notices.settings import NoticeSettings
from opsloop.core.workspace import Workspace
from opsloop.remediation.actions.action import Outside, Parameters
from opsloop.remediation.errors import ActionFailed
from opsloop.remediation.models import Done, Preview, Reach
from opsloop.remediation.settings import RemediationSettings
from opsloop.remediation.webhooks.settings import Webhook, WebhookSettings

EVENT = "remediation.act"


class Posting(Parameters):
    webhook: str = Field(min_length=1, max_length=100, description="name in the setting remediation_webhooks")
    payload: dict[str, str | int | float | bool] = Field({}, max_length=50)


class WebhookMissing(NotFound):
    template = "no webhook named {name!r} is in the setting remediation_webhooks, which has {known}"


class WebhookAway(Unavailable):
    template = "webhook {name} {said}"


class WebhookPost(Outside[Posting]):
    kind = "webhook.post"
    form = Posting
    can_repeat = True

    def preview(self, workspace: Workspace, parameters: Posting) -> Preview:
        found = _webhook(workspace, parameters.webhook)
        address.check(found.url, field=f"setting remediation_webhooks: {parameters.webhook}")
        given = [f"{name} = {value}" for name, value in sorted(parameters.payload.items())]
        return Preview(
            f"webhook {parameters.webhook} ({address.shown(found.url)}) is called",
            f"to {address.shown(found.url)}, address {sha256_hex(found.url.encode())[:16]}",
            (f"{parameters.webhook} gets the event {EVENT}", *given),
            Reach(resources=1),
        )

    def act(self, workspace: Workspace, parameters: Posting, *, key: str, why: str) -> Done:
        from opsloop.core.notices.sending import send  # aiohttp: only where something is sent

        found = _webhook(workspace, parameters.webhook)
        field = f"setting remediation_webhooks: {parameters.webhook}"
        url = address.resolved(field, found.url)
        address.check(url, field=field)
        body = _body(parameters, key, why)
        tries = workspace.section(WebhookSettings).remediation_webhook_tries
        pause_s = workspace.section(RemediationSettings).remediation_tick_s
        for left in reversed(range(tries)):
            headers = _headers(workspace, found, field, body, key)
            answer = send(url, body, headers, timeout_s=workspace.section(NoticeSettings).notice_timeout_s)
            if answer.error is None:
                return Done(f"webhook {parameters.webhook} took it ({answer.status}), {why}")
            if answer.status is not None and answer.status < 500 and answer.status != 429:
                raise ActionFailed(action=self.kind, reason=f"webhook {parameters.webhook} {answer.error}")
            if not left or workspace.stopping.wait(pause_s):
                break
        raise WebhookAway(name=parameters.webhook, said=answer.error)


def _webhook(workspace: Workspace, name: str) -> Webhook:
    known = workspace.section(WebhookSettings).remediation_webhooks
    if name not in known:
        raise WebhookMissing(name=name, known=", ".join(sorted(known)) or "none")
    return known[name]


def _body(parameters: Posting, key: str, why: str) -> bytes:
    said = {"event": EVENT, "id": key, "why": why, "payload": parameters.payload}
    return json.dumps(said, ensure_ascii=True, sort_keys=True).encode()


def _headers(workspace: Workspace, found: Webhook, field: str, body: bytes, key: str) -> dict[str, str]:
    headers = {
        "content-type": "application/json",
        "user-agent": f"opsloop/{__version__}",
        "idempotency-key": key,
        "X-Opsloop-Delivery": key,
        "X-Opsloop-Event": EVENT,
    }
    if found.secret:
        secret = address.resolved(field, found.secret)
        headers[signatures.HEADER] = signatures.stamped(secret, body, workspace.clock.now())
    return headers


ACTION = WebhookPost()
