"""The share of an answer's sentences that the passages it was made from support.

Offline it is a rule about words, which `support` states; with option `judge` a judge of scale `yes_no` says of each
sentence whether the passages support it. It does not apply to abstentions, which claim nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.evaluation.evaluators.registry import ABSTAINED, ANSWER, Evaluator, Input, Score, register
from opsloop.evaluation.evaluators.support import PASSAGE_KEYS, statements, supports, threshold_of
from opsloop.evaluation.evaluators.values import flag, text, texts_in


def answer_support(options: Mapping[str, Any]) -> Score:
    threshold = threshold_of(options)

    def score(values: Mapping[str, Any]) -> float | None:
        if flag(values, "abstained"):
            return None
        said = statements(text(values, "answer"))
        passages = texts_in(values, "passages", PASSAGE_KEYS)
        return sum(supports(each.text, passages, threshold) for each in said) / len(said) if said else None

    return score


_PASSAGES = Input("passages", ("run.passages",))
register(Evaluator("answer_support", (ANSWER, _PASSAGES, ABSTAINED), answer_support, options=("threshold",)))
