"""Whether the answer matches a pattern of the experiment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from opsloop.evaluation.errors import CannotScore, ExperimentInvalid
from opsloop.evaluation.evaluators.options import yes_or_no
from opsloop.evaluation.evaluators.registry import ANSWER, Evaluator, Score, register
from opsloop.evaluation.evaluators.values import text

# A pattern may need time that grows fast with the text; answers are short.
TEXT_LIMIT = 100_000


def regex(options: Mapping[str, Any]) -> Score:
    """1 when the pattern is found in the answer; with `whole` when it is the answer, with `ignore_case` in any case."""
    written = options.get("pattern")
    flags = re.IGNORECASE if yes_or_no(options, "ignore_case") else 0
    if not isinstance(written, str):
        raise ExperimentInvalid("options.pattern", "a regular expression", value=written)
    try:
        pattern = re.compile(written, flags)
    except re.error as error:
        raise ExperimentInvalid("options.pattern", f"a regular expression ({error})", value=written) from None
    found = pattern.fullmatch if yes_or_no(options, "whole") else pattern.search

    def score(values: Mapping[str, Any]) -> float:
        answer = text(values, "answer")
        if len(answer) > TEXT_LIMIT:
            raise CannotScore(f"the answer has {len(answer):,} characters; a pattern reads at most {TEXT_LIMIT:,}")
        return float(found(answer) is not None)

    return score


register(Evaluator("regex", (ANSWER,), regex, options=("pattern", "whole", "ignore_case")))
