"""Whether the citations prove the answer: every quote stands in a passage, and the quotes hold the answer's words.

The score is 0 when a quote is in none of the passages that the flow read; else the share of the answer's content words
(terms as retrieval knows them: folded, stemmed, no stop words) that the quotes hold. It does not apply to abstentions,
which claim nothing. A quote of the right words is no proof of their meaning: a judge or a person sees that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.evaluation.evaluators.registry import ABSTAINED, ANSWER, Evaluator, Input, register
from opsloop.evaluation.evaluators.support import PASSAGE_KEYS, QUOTE_KEYS
from opsloop.evaluation.evaluators.values import flag, text, texts_in
from opsloop.rag.text.words import terms


def citation_support(values: Mapping[str, Any]) -> float | None:
    if flag(values, "abstained"):
        return None
    passages = [_one_spaced(each) for each in texts_in(values, "passages", PASSAGE_KEYS)]
    quotes = [_one_spaced(each) for each in texts_in(values, "citations", QUOTE_KEYS)]
    if not all(any(quote in passage for passage in passages) for quote in quotes):
        return 0.0
    claimed = set(terms(text(values, "answer")))
    proved = {term for quote in quotes for term in terms(quote)}
    return len(claimed & proved) / len(claimed) if claimed else 0.0


def _one_spaced(value: str) -> str:
    return " ".join(value.split())


register(
    Evaluator(
        "citation_support",
        (ANSWER, Input("citations", ("run.outputs.citations",)), Input("passages", ("run.passages",)), ABSTAINED),
        lambda _: citation_support,
    )
)
