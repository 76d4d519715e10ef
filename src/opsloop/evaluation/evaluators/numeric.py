"""How far a number is from the truth.

The answer must be the number and no more (`4,812`, `$3.10`, `-3.1 %`); an answer that is none counts as failed, which
the errors show and the share `numeric_match` counts as wrong. A mean of errors is moved by one far row: look at the
quantiles, and at the root mean square error beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opsloop.evaluation.errors import CannotScore
from opsloop.evaluation.evaluators.aggregates import Aggregate
from opsloop.evaluation.evaluators.options import number
from opsloop.evaluation.evaluators.parsed import number_of
from opsloop.evaluation.evaluators.registry import ANSWER, TRUTH, Evaluator, Score, register
from opsloop.evaluation.statistics.figure import Figure

if TYPE_CHECKING:  # numpy is an extra
    from opsloop.evaluation.statistics.rows import Floats


def absolute_error(values: Mapping[str, Any]) -> float:
    """|answer - truth|, in the unit of the truth."""
    return abs(number_of(values["answer"], "answer") - number_of(values["truth"], "truth"))


def relative_error(values: Mapping[str, Any]) -> float:
    """|answer - truth| / |truth|; 0 when both are 0."""
    wanted = number_of(values["truth"], "truth")
    error = absolute_error(values)
    if wanted == 0.0:
        if error == 0.0:
            return 0.0
        raise CannotScore("truth is 0, from which no relative error is taken; use absolute_error")
    return error / abs(wanted)


def numeric_match(options: Mapping[str, Any]) -> Score:
    """1 when the error is at most `absolute`, or at most `relative` times the truth; 0 also for what is no number."""
    absolute = number(options, "absolute", 0.0, least=0.0, most=1e300)
    relative = number(options, "relative", 0.0, least=0.0, most=1e6)

    def score(values: Mapping[str, Any]) -> float:
        wanted = number_of(values["truth"], "truth")
        return float(absolute_error(values) <= max(absolute, relative * abs(wanted)))

    return score


def _squared(values: Mapping[str, Any]) -> float | None:
    return None if values["answer"] is None else absolute_error(values) ** 2


def _root_mean_square(parts: Sequence[float], weights: Floats) -> Mapping[str, Figure]:
    import numpy as np

    with np.errstate(invalid="ignore", divide="ignore"):
        mean = weights @ np.asarray(parts) / weights.sum(axis=1)
    return {"rmse": Figure(np.sqrt(mean), len(parts))}


register(
    Evaluator(
        "absolute_error",
        (ANSWER, TRUTH),
        lambda _: absolute_error,
        higher_is_better=False,
        worst=None,
        make_aggregate=lambda _: Aggregate(_squared, _root_mean_square, frozenset({"rmse"})),
    )
)
register(Evaluator("relative_error", (ANSWER, TRUTH), lambda _: relative_error, higher_is_better=False, worst=None))
register(Evaluator("numeric_match", (ANSWER, TRUTH), numeric_match, options=("absolute", "relative")))
