"""What kind of thing a question asks for, and whether a sentence brings one that the question did not."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnswerKind:
    """Questions that `asks` finds are answered by what `looks` finds; `bonus` is what holding one is worth."""

    asks: re.Pattern[str]
    looks: re.Pattern[str]
    bonus: float


_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
# Bonuses in units of a fully covered question, from the same fit as the weights in `answer.py`.
KINDS = (
    AnswerKind(
        re.compile(r"\bhow (?:many|much|long|old|far|tall|large|big|high|often|fast|deep|wide)\b", re.IGNORECASE),
        re.compile(
            r"\b\d[\d,.]*|\b(?:two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|thousand|million|half|once|twice)\b",
            re.IGNORECASE,
        ),
        0.25,
    ),
    AnswerKind(
        re.compile(r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|century|decade)\b", re.IGNORECASE),
        re.compile(rf"\b1\d{{3}}\b|\b20\d\d\b|\b(?:{_MONTHS})\b|\b\d{{3,4}}s\b|\bcentury\b"),
        0.25,
    ),
    AnswerKind(
        re.compile(r"\bwho(?:m|se)?\b|\bwhere\b", re.IGNORECASE),
        re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w-]+"),
        0.16,
    ),
)


def kind_of(question: str) -> AnswerKind | None:
    return next((kind for kind in KINDS if kind.asks.search(question)), None)


def bonus(kind: AnswerKind | None, question: str, sentence: str) -> float:
    """What a sentence gains by holding a thing of that kind which the question does not name itself."""
    if kind is None:
        return 0.0
    named = question.casefold()
    holds = any(match[0].casefold() not in named for match in kind.looks.finditer(sentence))
    return kind.bonus if holds else 0.0
