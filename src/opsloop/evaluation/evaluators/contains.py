"""Whether the answer contains the truth, or matches a pattern of the experiment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from opsloop.evaluation.errors import CannotScore, ExperimentInvalid
from opsloop.evaluation.evaluators.registry import ANSWER, TRUTH, Evaluator, Score, register
from opsloop.evaluation.evaluators.values import text, texts

# A pattern may need time that grows fast with the text; answers are short.
TEXT_LIMIT = 100_000


def contains(options: Mapping[str, Any]) -> Score:
    """1 when the answer holds the truth (any, if several), whatever the case unless `case_sensitive`."""
    exact = options.get("case_sensitive", False)
    if not isinstance(exact, bool):
        raise ExperimentInvalid("options.case_sensitive", "true or false", value=exact)

    def folded(value: str) -> str:
        return value if exact else value.casefold()

    def score(values: Mapping[str, Any]) -> float:
        answer = folded(text(values, "answer"))
        return float(any(folded(truth) in answer for truth in texts(values, "truth")))

    return score


def regex(options: Mapping[str, Any]) -> Score:
    """1 when the pattern is found in the answer."""
    written = options.get("pattern")
    if not isinstance(written, str):
        raise ExperimentInvalid("options.pattern", "a regular expression", value=written)
    try:
        pattern = re.compile(written)
    except re.error as error:
        raise ExperimentInvalid("options.pattern", f"a regular expression ({error})", value=written) from None

    def score(values: Mapping[str, Any]) -> float:
        answer = text(values, "answer")
        if len(answer) > TEXT_LIMIT:
            raise CannotScore(f"the answer has {len(answer):,} characters; a pattern reads at most {TEXT_LIMIT:,}")
        return float(pattern.search(answer) is not None)

    return score


register(Evaluator("contains", (ANSWER, TRUTH), contains, options=("case_sensitive",)))
register(Evaluator("regex", (ANSWER,), regex, options=("pattern",)))
