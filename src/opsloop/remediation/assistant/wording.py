"""A question of an operator in the words that records have: `what broke yesterday` asks for incidents of a date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

_WORD = re.compile(r"[A-Za-z]+")
_INCIDENT = ("happen", "happened", "happening", "broke", "broken", "wrong", "outage", "outages", "trouble", "problem")
_SERVES = ("running", "runs", "live", "deployed", "active", "production")
_OURS = {
    **dict.fromkeys((*_INCIDENT, "problems", "issue", "issues"), "incident"),
    **dict.fromkeys(_SERVES, "serves"),
    **dict.fromkeys(("alarm", "alarms"), "alert"),
    **dict.fromkeys(("shipped", "deploy", "deployment"), "release"),
}
_IDLE = frozenset(
    ("now", "currently", "present", "presently", "lately", "recently", "right", "just", "anything", "something")
)
"""Words without which a question asks the same: what is stored is of now, the newest first."""
_DAYS_AGO = {"today": 0, "yesterday": 1}


def in_our_words(question: str, now: datetime) -> str:
    """Args: now: for `today` and `yesterday`, whose date stands in records."""
    return " ".join(_words(question, now))


def _words(question: str, now: datetime) -> Iterator[str]:
    for word in question.split():
        plain = "".join(_WORD.findall(word)).lower()
        if plain in _DAYS_AGO:
            yield f"{now - timedelta(days=_DAYS_AGO[plain]):%Y-%m-%d}"
        elif plain not in _IDLE:
            yield _OURS.get(plain, word)
