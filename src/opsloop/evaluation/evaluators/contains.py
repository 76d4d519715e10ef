"""Whether the answer contains the truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.evaluation.evaluators.options import yes_or_no
from opsloop.evaluation.evaluators.registry import ANSWER, TRUTH, Evaluator, Score, register
from opsloop.evaluation.evaluators.values import text, texts


def contains(options: Mapping[str, Any]) -> Score:
    """1 when the answer holds the truth (any, if several), whatever the case unless `case_sensitive`.

    An empty list of truths is that of a question without an answer: None.
    """
    exact = yes_or_no(options, "case_sensitive")

    def folded(value: str) -> str:
        return value if exact else value.casefold()

    def score(values: Mapping[str, Any]) -> float | None:
        truths = texts(values, "truth")
        if not truths:
            return None
        answer = folded(text(values, "answer"))
        return float(any(folded(truth) in answer for truth in truths))

    return score


register(Evaluator("contains", (ANSWER, TRUTH), contains, options=("case_sensitive",)))
