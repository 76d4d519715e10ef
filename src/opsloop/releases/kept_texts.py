"""Which endpoints keep questions and answers, for how long, of which share of requests.

endpoints:
  support-chat:
    flow: flows/answer
    keep_texts: {days: 30, share: 1.0, redact: true}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from opsloop.core.errors import InvalidInput

KEYS = ("days", "share", "redact")
MAX_DAYS = 3_650


@dataclass(frozen=True, slots=True)
class KeepTexts:
    """Args: days: they are kept; share: of requests, 0 to 1; redact: whether personal data is taken out before."""

    days: float = 30.0
    share: float = 1.0
    redact: bool = True


def parse(given: Any, at: str = "keep_texts") -> KeepTexts | None:
    """As it is declared: a mapping, `true` for what is usual, or `false` and null for nothing. Raises: InvalidInput."""
    if given is None or given is False:
        return None
    if given is True:
        return KeepTexts()
    if not isinstance(given, Mapping):
        raise InvalidInput(field=at, value=given, wanted="true, false, or a mapping such as {days: 30}")
    for key in given:
        if key not in KEYS:
            raise InvalidInput(field=f"{at}.{key}", value=given[key], wanted=f"one of the keys {', '.join(KEYS)}")
    days, share, redact = given.get("days", 30), given.get("share", 1), given.get("redact", True)
    if not _is_number(days) or not 0 < days <= MAX_DAYS:
        raise InvalidInput(field=f"{at}.days", value=days, wanted=f"a number of days above 0 and up to {MAX_DAYS}")
    if not _is_number(share) or not 0 < share <= 1:
        raise InvalidInput(field=f"{at}.share", value=share, wanted="a share above 0 and up to 1")
    if not isinstance(redact, bool):
        raise InvalidInput(field=f"{at}.redact", value=redact, wanted="true or false")
    return KeepTexts(float(days), float(share), redact)


def stored(keeps: KeepTexts | None) -> dict[str, Any] | None:
    return None if keeps is None else asdict(keeps)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
