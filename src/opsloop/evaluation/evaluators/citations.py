"""Citation recall and precision, as ALCE defines them, with a rule about words in the place of its entailment model.

*Recall*: the share of the answer's sentences that their citations, taken together, support; one without any citation
is not supported. *Precision*: the share of citations that are needed: the sentence is supported, and the citation
either supports it alone, or the others do not without it. An answer that cites nothing has 0 of both.

A sentence cites by marks, `[1]` or `[2, 3]`, which number the citations from 1. Where the answer has no mark at all
every sentence is taken to cite all of them, as flows do that give an answer and a list of quotes.

What is measured: ALCE asks a model for entailment (TRUE, a T5 of 11 billion parameters) whether a passage supports a
sentence. Offline it is the rule of `support` here: most content words and all figures stand in the citation. With
option `judge`, the name of a judge of scale `yes_no` that reads `answer` and `passages`, the judge says it. Neither is
comparable with the figures of the paper.

Source: T. Gao et al., Enabling large language models to generate text with citations, EMNLP 2023, section 4.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opsloop.evaluation.evaluators.judging.supporting import OPTIONS, Claim, Supports, asking
from opsloop.evaluation.evaluators.registry import ABSTAINED, ANSWER, Evaluator, Input, Score, register
from opsloop.evaluation.evaluators.support import (
    PASSAGE_KEYS,
    QUOTE_KEYS,
    Statement,
    statements,
    supports,
    threshold_of,
)
from opsloop.evaluation.evaluators.values import flag, text, texts_in


def recall(said: Sequence[Statement], citations: Sequence[str], supports: Supports) -> float | None:
    """None for an answer that says nothing."""
    supported = [_is_supported(each, citations, supports) for each in said]
    return sum(supported) / len(supported) if supported else None


def precision(said: Sequence[Statement], citations: Sequence[str], supports: Supports) -> float | None:
    needed = [
        _is_supported(each, citations, supports) and _is_needed(each, number, citations, supports)
        for each in said
        for number in each.cited
    ]
    if needed:
        return sum(needed) / len(needed)
    return 0.0 if said else None


def _is_supported(statement: Statement, citations: Sequence[str], supports: Supports) -> bool:
    held = _texts(statement.cited, citations)
    return bool(held) and supports(statement.text, held)


def _is_needed(statement: Statement, number: int, citations: Sequence[str], supports: Supports) -> bool:
    own = _texts([number], citations)
    if not own:
        return False  # it numbers none that is there
    others = _texts([each for each in statement.cited if each != number], citations)
    return supports(statement.text, own) or not (others and supports(statement.text, others))


def _texts(numbers: Sequence[int], citations: Sequence[str]) -> list[str]:
    return [citations[number - 1] for number in numbers if 1 <= number <= len(citations)]


def cited(values: Mapping[str, Any]) -> tuple[list[Statement], list[str]]:
    """The sentences of an answer with the numbers of what they cite, and the texts of the citations."""
    said = statements(text(values, "answer"))
    citations = texts_in(values, "citations", (*QUOTE_KEYS, *PASSAGE_KEYS))
    if not any(each.cited for each in said):
        said = [Statement(each.text, tuple(range(1, len(citations) + 1))) for each in said]
    return said, citations


def _claims(values: Mapping[str, Any]) -> list[Claim]:
    """Each sentence with all it cites, with each citation alone, and with the others."""
    if flag(values, "abstained"):
        return []
    said, citations = cited(values)
    found: list[Claim] = []
    for each in said:
        parts = [each.cited, *([number] for number in each.cited)]
        parts += [[other for other in each.cited if other != number] for number in each.cited]
        found += [(each.text, tuple(held)) for part in parts if (held := _texts(part, citations))]
    return found


def _evaluator(name: str, measure: Callable[[Sequence[Statement], Sequence[str], Supports], float | None]) -> Evaluator:
    def of(values: Mapping[str, Any], supports: Supports) -> float | None:
        return None if flag(values, "abstained") else measure(*cited(values), supports)

    def make(options: Mapping[str, Any]) -> Score:
        threshold = threshold_of(options)
        return lambda values: of(values, lambda statement, held: supports(statement, held, threshold))

    return Evaluator(name, _INPUTS, make, options=("threshold", *OPTIONS), make_ask=asking(_claims, of))


_INPUTS = (ANSWER, Input("citations", ("run.outputs.citations", "run.passages")), ABSTAINED)
register(_evaluator("citation_recall", recall))
register(_evaluator("citation_precision", precision))
