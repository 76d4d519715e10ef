"""The operating side of a pipeline in `opsloop.yaml`: when it runs, on which rows, whom it tells.

iris:
  dataset: iris
  target: species
  …                                        what is learned: `opsloop.training.pipeline`
  model: iris                              name in the registry; default: that of the pipeline
  schedule: "0 3 * * *"                    UTC; this is the default, `none` for on demand only
  window: {rows: 5000}                     or {days: 90, column: at}, {since: 2026-01-01, column: at}
  notify:
    slack: ${env:SLACK_WEBHOOK}
    webhook: {url: https://example.com/hook, secret: ${env:HOOK_SECRET}}
    on: [finished, failed]
  webhook: {secret: ${env:TRAIN_SECRET}}   signs what POST /webhooks/train/iris gets
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.core.jobs import cron
from opsloop.core.notices import address
from opsloop.training import window as windows
from opsloop.training.run_errors import OperationInvalid
from opsloop.training.window import Window

SCHEDULE = "0 3 * * *"
KEYS = ("schedule", "window", "notify", "webhook", "model")
OCCASIONS = ("finished", "failed", "skipped")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True, slots=True)
class Notify:
    """Whom a run tells how it went; addresses and secrets are references such as `${env:SLACK_WEBHOOK}`."""

    slack: str | None = None
    url: str | None = None
    secret: str | None = None
    on: tuple[str, ...] = ("finished", "failed")


@dataclass(frozen=True, slots=True)
class Operation:
    """Args:
    model: what the model is called in the registry; empty: as the pipeline.
    schedule: a cron expression in UTC; None for on demand only.
    hook_secret: signs requests that start a run from elsewhere; a reference.
    notify: None when nothing is declared, so that the settings' channels hold.
    """

    model: str = ""
    schedule: str | None = SCHEDULE
    window: Window = field(default_factory=Window)
    notify: Notify | None = None
    hook_secret: str | None = None


def parse(values: Mapping[str, Any]) -> Operation:
    """Raises: OperationInvalid naming the field."""
    try:
        return Operation(
            model=_model(values.get("model", "")),
            schedule=_schedule(values.get("schedule", SCHEDULE)),
            window=windows.parse(values.get("window")),
            notify=_notify(values.get("notify")),
            hook_secret=_hook_secret(values.get("webhook")),
        )
    except OperationInvalid:
        raise
    except InvalidInput as error:
        raise OperationInvalid(error.sentence, field=error.facts.get("field", "pipeline")) from None


def learned(values: Mapping[str, Any]) -> dict[str, Any]:
    """What of a declaration says what is learned and how: the part that `pipeline.parse` reads."""
    return {name: value for name, value in values.items() if name not in KEYS}


def _schedule(value: Any) -> str | None:
    if value is None or value is False or value == "none":
        return None
    if not isinstance(value, str):
        raise OperationInvalid(field="schedule", value=value, wanted='five cron fields such as "0 3 * * *", or none')
    try:
        cron.check(value)
    except InvalidInput as error:
        raise OperationInvalid(f"schedule: {error.sentence}", field="schedule") from None
    return value


def _model(value: Any) -> str:
    if value != "" and (not isinstance(value, str) or not _NAME.fullmatch(value)):
        wanted = "up to 80 letters, digits and ._-, a letter or digit first"
        raise OperationInvalid(field="model", value=value, wanted=wanted)
    return str(value)


def _notify(value: Any) -> Notify | None:
    if value is None:
        return None
    found = _mapping("notify", value, ("slack", "webhook", "on"))
    hook = _mapping("notify.webhook", found.get("webhook", {}), ("url", "secret"))
    if "slack" not in found and not hook:
        raise OperationInvalid(field="notify", value=value, wanted="slack or webhook, to know whom to tell")
    url = hook.get("url")
    if hook:
        if not isinstance(url, str):
            raise OperationInvalid(field="notify.webhook.url", value=url, wanted="a URL, or ${env:NAME}")
        address.check(url, field="notify.webhook.url")
    return Notify(
        slack=_reference("notify.slack", found.get("slack")),
        url=url,
        secret=_reference("notify.webhook.secret", hook.get("secret")),
        on=_occasions(found.get("on", ["finished", "failed"])),
    )


def _occasions(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(each in OCCASIONS for each in value):
        raise OperationInvalid(field="notify.on", value=value, wanted=f"a list of {', '.join(OCCASIONS)}")
    return tuple(value)


def _hook_secret(value: Any) -> str | None:
    if value is None:
        return None
    return _reference("webhook.secret", _mapping("webhook", value, ("secret",)).get("secret"))


def _reference(at: str, value: Any) -> str | None:
    """A secret by where it is: a project's files are read by many."""
    if value is None:
        return None
    if not isinstance(value, str) or not address.is_reference(value):
        raise OperationInvalid(f"{at}: wanted ${{env:NAME}}, so that the secret itself stands in no file", field=at)
    return value


def _mapping(at: str, value: Any, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict) or not value.keys() <= set(known):
        raise OperationInvalid(field=at, value=value, wanted=f"a mapping with {', '.join(known)}")
    return value
