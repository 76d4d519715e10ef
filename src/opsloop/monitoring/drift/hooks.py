"""Where an alarm is told: webhooks of the platform and of a release, in our form or in Slack's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import structlog

from opsloop.core.errors import InvalidInput
from opsloop.core.notices import address
from opsloop.core.notices import service as notices
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.monitoring.alarms.models import Alarm
from opsloop.monitoring.settings import MonitoringSettings

log = structlog.get_logger()
KIND = "drift.detected"
Form = Literal["json", "slack"]
_SLACK = "hooks.slack.com"
_KEYS = ("url", "secret", "form")


@dataclass(frozen=True, slots=True)
class Hook:
    """A URL, or `${env:NAME}` which is looked up when something is sent; the secret likewise."""

    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    form: Form = "json"


def parse(value: object, path: str = "drift.webhook") -> tuple[Hook, ...]:
    """A URL, a mapping of `url`, `secret` and `form`, or a list of these; as a release's configuration has them.

    Raises: InvalidInput; its sentence does not repeat a URL.
    """
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple(hook for place, each in enumerate(value) for hook in parse(each, f"{path}[{place}]"))
    if isinstance(value, str):
        address.check(value, field=path)
        return (Hook(value, form=_form_of(value)),)
    if not isinstance(value, Mapping) or "url" not in value or not set(value) <= set(_KEYS):
        raise InvalidInput(f"{path}: wanted a URL, or a mapping of {', '.join(_KEYS)}", field=path)
    url, secret, form = value["url"], value.get("secret"), value.get("form")
    if not isinstance(url, str) or not isinstance(secret, str | None) or form not in (None, "json", "slack"):
        raise InvalidInput(f"{path}: url and secret are texts, form is json or slack", field=path)
    address.check(url, field=f"{path}.url")
    return (Hook(url, secret, form or _form_of(url)),)


def declared(hooks: Sequence[Hook]) -> list[dict[str, Any]]:
    """Hooks as `parse` reads them."""
    return [{"url": hook.url, "secret": hook.secret, "form": hook.form} for hook in hooks]


def of_platform(workspace: Workspace) -> tuple[Hook, ...]:
    """What `OPSLOOP_DRIFT_WEBHOOK` says; an alarm is raised all the same when that is no address."""
    settings = workspace.section(MonitoringSettings)
    if not settings.drift_webhook:
        return ()
    declared = {"url": settings.drift_webhook, "secret": settings.drift_webhook_secret}
    try:
        return parse(declared, "setting drift_webhook")
    except InvalidInput as error:
        log.error("drift_webhook_unusable", reason=error.sentence)
        return ()


def tell(uow: UnitOfWork, alarm: Alarm, hooks: Sequence[Hook]) -> None:
    """Deliver an alarm to each of them once this transaction is committed, and until it is taken."""
    for number, hook in enumerate(dict.fromkeys(hooks), start=1):
        payload = slack(alarm) if hook.form == "slack" else told(alarm)
        notices.deliver(
            uow,
            hook.url,
            payload,
            secret=hook.secret,
            kind=KIND,
            about=f"endpoint/{alarm.endpoint}",
            id=f"{alarm.id}.{number}",
        )


def told(alarm: Alarm) -> dict[str, Any]:
    """An alarm as a webhook gets it."""
    return {
        "event": KIND,
        "alarm": alarm.id,
        "kind": alarm.kind,
        "endpoint": alarm.endpoint,
        "release": alarm.release,
        "model": alarm.model,
        "feature": alarm.feature,
        "sentence": alarm.sentence,
        "score": alarm.score,
        "since_row": alarm.since_row,
        "since_at": None if alarm.since_at is None else alarm.since_at.isoformat(),
        "expected_delay_rows": alarm.expected_delay_rows,
        "at": alarm.opened_at.isoformat(),
    }


def slack(alarm: Alarm) -> dict[str, Any]:
    """The same in the form of Slack's incoming webhooks."""
    said = _escaped(f"{alarm.endpoint} ({alarm.model}): {alarm.sentence}")
    what = "Drift" if alarm.kind == "drift" else "Performance"
    look = f"`opsloop monitor drift {alarm.endpoint}` shows the evidence."
    return {"text": f":warning: *{what} alarm* {said}\n{look}"}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _form_of(url: str) -> Form:
    if address.is_reference(url):
        return "json"
    return "slack" if urlsplit(url).hostname == _SLACK else "json"
