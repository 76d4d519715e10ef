"""A judge's answer, read strictly: one JSON object with a score of the scale. Nothing is guessed from other text."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from opsloop.core.errors import shown
from opsloop.evaluation.evaluators.judging.spec import Kind, Scale

REASON_CHARS = 1_000
_FENCED = re.compile(r"\A```(?:json)?[ \t]*\r?\n(?P<body>.*?)\r?\n?```\Z", re.DOTALL | re.IGNORECASE)
_WORDS = {Kind.YES_NO: {"yes": 1.0, "no": 0.0}, Kind.PAIRWISE: {"A": 1.0, "tie": 0.5, "B": 0.0}}


class Unreadable(ValueError):
    """An answer is not of the wanted form; the message says why and holds nothing that the model wrote freely."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """`score` in the scale's figures: 1 and 0, points, or of a pair 1 where the first was taken, 0.5 for a tie."""

    score: float
    reason: str


def read(text: str, scale: Scale) -> Judgement:
    """Raises: Unreadable."""
    stripped = text.strip()
    fenced = _FENCED.match(stripped)
    try:
        found = json.loads(fenced["body"] if fenced else stripped, object_pairs_hook=_once, parse_constant=_no_constant)
    except Unreadable:
        raise
    except (ValueError, RecursionError):
        raise Unreadable("it is no JSON") from None
    if not isinstance(found, dict) or "score" not in found:
        raise Unreadable("it is no object with a score")
    reason = found.get("reason", "")
    if not isinstance(reason, str):
        raise Unreadable("its reason is no text")
    return Judgement(_score(found["score"], scale), " ".join(reason.split())[:REASON_CHARS])


def _score(value: Any, scale: Scale) -> float:
    if scale.kind is Kind.POINTS:
        if isinstance(value, bool) or not isinstance(value, int) or not scale.low <= value <= scale.high:
            raise Unreadable(f"its score is {shown(value, limit=20)}")
        return float(value)
    words = _WORDS[scale.kind]
    if not isinstance(value, str) or value not in words:
        raise Unreadable(f"its score is {shown(value, limit=20)}")
    return words[value]


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("it has the same key twice")
    return found


def _no_constant(constant: str) -> Any:
    raise Unreadable(f"it holds {constant}")
