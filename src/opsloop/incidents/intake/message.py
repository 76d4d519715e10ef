"""A webhook's message, and how text of it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from opsloop.incidents.models import Observed, Severity
from opsloop.incidents.settings import IncidentSettings

_URGENT = frozenset(("page", "critical", "emergency", "high", "fatal", "p1", "p2", "sev1", "sev2"))
_INFO = frozenset(("info", "none", "information", "informational", "low", "debug", "p5"))


@dataclass(frozen=True, slots=True)
class Message:
    """What came: headers by lower-case name, the body's bytes, and when."""

    headers: Mapping[str, str]
    body: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of webhook.

    Args:
        secret: the setting that proves its messages, for people.
        is_signed: whether a message was meant to be proved, so that no API key is asked for.
        proves: whether a message is proved.
        delivery: what one delivery is known by when it is sent again.
        signals: what a decoded body tells. Raises: InvalidInput.
    """

    name: str
    secret: str
    is_signed: Callable[[Mapping[str, str]], bool]
    proves: Callable[[IncidentSettings, Message], bool]
    delivery: Callable[[Message, dict[str, Any]], str]
    signals: Callable[[Message, dict[str, Any]], Sequence[Observed]]


def severity(word: object) -> Severity:
    """Another system's word for how urgent it is as one of ours; one that is not known: `ticket`."""
    said = str(word).lower()
    return "page" if said in _URGENT else "info" if said in _INFO else "ticket"


def instant(text: object, default: datetime) -> datetime:
    """An ISO 8601 instant; the default for anything else. Without a zone it is UTC."""
    if not isinstance(text, str):
        return default
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00").replace(" UTC", "+00:00"))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return default


def inner(given: object, *names: str) -> Any:
    """A value deep in what JSON gave; None where there is none."""
    for name in names:
        given = given.get(name) if isinstance(given, dict) else None
    return given


def words(given: object, *names: str) -> str:
    """The same as text; empty where there is none."""
    found = inner(given, *names)
    return str(found) if isinstance(found, str | int | float) and not isinstance(found, bool) else ""
