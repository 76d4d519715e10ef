"""ROUGE-L: how much of the truth's words the answer has in the truth's order, as F1.

Source: C.-Y. Lin, ROUGE: a package for automatic evaluation of summaries, ACL workshop 2004, section 3.1, with beta = 1
and without stemming.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from opsloop.evaluation.errors import CannotScore
from opsloop.evaluation.evaluators.registry import ANSWER, TRUTH, Evaluator, register
from opsloop.evaluation.evaluators.values import text, texts

_WORD = re.compile(r"\w+")
# The time grows with the product of both lengths.
WORDS_LIMIT = 5_000


def rouge_l(answer: str, truth: str) -> float:
    """F1 of the longest common subsequence of words, 0-1. Raises: CannotScore when a text is too long."""
    first, second = _words(answer), _words(truth)
    if not first or not second:
        return float(first == second)
    return 2.0 * common_subsequence(first, second) / (len(first) + len(second))


def common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(second) + 1)
    for word in first:
        diagonal = 0
        for place, other in enumerate(second, start=1):
            above = row[place]
            row[place] = diagonal + 1 if word == other else max(above, row[place - 1])
            diagonal = above
    return row[-1]


def _words(value: str) -> list[str]:
    words = _WORD.findall(value.casefold())
    if len(words) > WORDS_LIMIT:
        raise CannotScore(f"a text has {len(words):,} words; ROUGE-L compares at most {WORDS_LIMIT:,}")
    return words


def _score(values: Mapping[str, Any]) -> float:
    return max(rouge_l(text(values, "answer"), truth) for truth in texts(values, "truth") or [""])


register(Evaluator("rouge_l", (ANSWER, TRUTH), lambda _: _score))
