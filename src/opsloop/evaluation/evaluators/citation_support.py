"""Whether the citations prove the answer: every quote stands in a passage, and the quotes hold the answer's words.

The score is 0 when a quote is in none of the passages that the flow read; else the share of the answer's content words
(terms as retrieval knows them: folded, stemmed, no stop words) that the quotes hold. It does not apply to abstentions,
which claim nothing. A quote of the right words is no proof of their meaning: a judge or a person sees that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsloop.core.errors import shown
from opsloop.evaluation.errors import CannotScore
from opsloop.evaluation.evaluators.registry import ABSTAINED, ANSWER, Evaluator, Input, register
from opsloop.evaluation.evaluators.values import flag, text
from opsloop.rag.text import terms

_QUOTE_KEYS = ("quote", "text", "content")
_PASSAGE_KEYS = ("text", "content", "passage", "page_content")


def citation_support(values: Mapping[str, Any]) -> float | None:
    if flag(values, "abstained"):
        return None
    passages = [_one_spaced(each) for each in _texts(values, "passages", _PASSAGE_KEYS)]
    quotes = [_one_spaced(each) for each in _texts(values, "citations", _QUOTE_KEYS)]
    if not all(any(quote in passage for passage in passages) for quote in quotes):
        return 0.0
    claimed = set(terms(text(values, "answer")))
    proved = {term for quote in quotes for term in terms(quote)}
    return len(claimed & proved) / len(claimed) if claimed else 0.0


def _texts(values: Mapping[str, Any], name: str, keys: tuple[str, ...]) -> list[str]:
    """The texts of a list of texts or of objects that hold one."""
    given = values[name]
    if not isinstance(given, list):
        raise CannotScore(f"{name} is {shown(given)}; wanted a list")
    return [_text(name, each, keys) for each in given]


def _text(name: str, value: Any, keys: tuple[str, ...]) -> str:
    if isinstance(value, Mapping):
        value = next((value[key] for key in keys if key in value), None)
    if not isinstance(value, str) or not value.strip():
        raise CannotScore(f"{name} holds {shown(value)}; wanted texts, or objects with one of {', '.join(keys)}")
    return value


def _one_spaced(value: str) -> str:
    return " ".join(value.split())


register(
    Evaluator(
        "citation_support",
        (ANSWER, Input("citations", ("run.outputs.citations",)), Input("passages", ("run.passages",)), ABSTAINED),
        lambda _: citation_support,
    )
)
