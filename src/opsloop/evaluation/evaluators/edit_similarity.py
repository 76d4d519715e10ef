"""How near an answer is to the truth letter by letter: 1 minus the edit distance over the length of the longer text.

Sources: V. I. Levenshtein, Binary codes capable of correcting deletions, insertions and reversals, Soviet Physics
Doklady 10 (1966), 707-710; H. Hyyrö, A bit-vector algorithm for computing Levenshtein and Damerau edit distances,
Nordic Journal of Computing 10 (2003), 29-39 (a column of the table in the bits of one number, after G. Myers 1999).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.evaluation.errors import CannotScore
from opsloop.evaluation.evaluators.registry import ANSWER, TRUTH, Evaluator, register
from opsloop.evaluation.evaluators.values import text, texts

# The time grows with the product of both lengths, divided by the bits of a word.
TEXT_LIMIT = 50_000


def edit_distance(first: str, second: str) -> int:
    """The least number of letters to put in, take out or change."""
    if not first or not second:
        return max(len(first), len(second))
    places: dict[str, int] = {}
    for place, letter in enumerate(first):
        places[letter] = places.get(letter, 0) | 1 << place
    every, last = (1 << len(first)) - 1, 1 << len(first) - 1
    plus, minus, distance = every, 0, len(first)
    for letter in second:
        equal = places.get(letter, 0)
        zero = (((equal & plus) + plus) ^ plus) | equal | minus
        up = minus | every & ~(zero | plus)
        down = plus & zero
        distance += bool(up & last) - bool(down & last)
        shifted = up << 1 | 1
        plus = (down << 1 | ~(zero | shifted)) & every
        minus = shifted & zero & every
    return distance


def edit_similarity(answer: str, truth: str) -> float:
    """0-1. Raises: CannotScore when a text is too long."""
    longest = max(len(answer), len(truth))
    if longest > TEXT_LIMIT:
        raise CannotScore(f"a text has {longest:,} characters; edit_similarity compares at most {TEXT_LIMIT:,}")
    return 1.0 - edit_distance(answer, truth) / longest if longest else 1.0


def _score(values: Mapping[str, Any]) -> float:
    return max(edit_similarity(text(values, "answer"), truth) for truth in texts(values, "truth") or [""])


register(Evaluator("edit_similarity", (ANSWER, TRUTH), lambda _: _score))
