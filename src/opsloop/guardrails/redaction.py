"""Take personal data and secrets out of what is kept: comments, conversations, log lines."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from functools import cache
from typing import Any

from structlog.typing import Processor

from opsloop.core import settings
from opsloop.guardrails.models import Action
from opsloop.guardrails.policy import Policy
from opsloop.guardrails.screening import ScreenBroken, Tally, screened, screened_value
from opsloop.guardrails.settings import GuardrailSettings

UNREADABLE = "[NOT LOOKED THROUGH]"
"""What is kept of a text that a screen cannot look through."""


@cache
def _policy() -> Policy:
    return Policy(answers={"pii": Action.REDACT, "secrets": Action.REDACT})


def redacted(text: str) -> str:
    """The text with each piece of personal data as its kind: `[EMAIL]`."""
    try:
        return screened(text, _policy(), Tally("answer"))
    except ScreenBroken:
        return UNREADABLE


def redacted_value(value: Any) -> Any:
    """The same for every text in a JSON value."""
    try:
        return screened_value(value, _policy(), Tally("answer"))
    except ScreenBroken:
        return UNREADABLE


# What a log line says of itself, and not of what was said.
_OWN = frozenset({"level", "timestamp", "request", "endpoint", "release"})


def log_redactor(file_values: Mapping[str, Any] | None = None) -> Processor | None:
    """What takes personal data out of log lines, unless the settings say not to."""
    return redact_log_line if settings.read(GuardrailSettings, file_values).redact_stored else None


def redact_log_line(logger: object, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog: fields that are texts, and tracebacks, without personal data."""
    for name, value in line.items():
        if name not in _OWN and isinstance(value, str | list | tuple | dict):
            line[name] = redacted_value(value)
    return line
