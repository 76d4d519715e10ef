"""The share of an answer's sentences that the passages it was made from support.

Offline it is a rule about words, which `support` states. With option `judge`, the name of a judge of scale `yes_no`
that reads `answer` and `passages`, the judge says it of each sentence. It does not apply to abstentions, which claim
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.evaluation.evaluators.judging.supporting import OPTIONS, Claim, Supports, asking
from opsloop.evaluation.evaluators.registry import ABSTAINED, ANSWER, Evaluator, Input, Score, register
from opsloop.evaluation.evaluators.support import PASSAGE_KEYS, statements, supports, threshold_of
from opsloop.evaluation.evaluators.values import flag, text, texts_in


def answer_support(options: Mapping[str, Any]) -> Score:
    threshold = threshold_of(options)
    return lambda values: _share(values, lambda statement, held: supports(statement, held, threshold))


def _claims(values: Mapping[str, Any]) -> list[Claim]:
    if flag(values, "abstained"):
        return []
    passages = tuple(texts_in(values, "passages", PASSAGE_KEYS))
    return [(each.text, passages) for each in statements(text(values, "answer"))]


def _share(values: Mapping[str, Any], supports: Supports) -> float | None:
    claims = _claims(values)
    return sum(supports(*claim) for claim in claims) / len(claims) if claims else None


register(
    Evaluator(
        "answer_support",
        (ANSWER, Input("passages", ("run.passages",)), ABSTAINED),
        answer_support,
        options=("threshold", *OPTIONS),
        make_ask=asking(_claims, _share),
    )
)
