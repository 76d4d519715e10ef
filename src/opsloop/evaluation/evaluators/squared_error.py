"""How far a number is from the truth, squared; and R², how much of the truth's spread the answers explain.

R² is 1 - (sum of squared errors) / (sum of squared distances of the truth from its mean): 1 for answers without error,
0 for answers that are no better than that mean, below 0 for worse ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opsloop.evaluation.evaluators.aggregates import Aggregate
from opsloop.evaluation.evaluators.numeric import absolute_error
from opsloop.evaluation.evaluators.parsed import number_of
from opsloop.evaluation.evaluators.registry import ANSWER, TRUTH, Evaluator, register
from opsloop.evaluation.statistics.figure import Figure

if TYPE_CHECKING:  # numpy is an extra
    from opsloop.evaluation.statistics.rows import Floats


def squared_error(values: Mapping[str, Any]) -> float:
    """(answer - truth)², in the unit of the truth squared."""
    return absolute_error(values) ** 2


def _pair(values: Mapping[str, Any]) -> tuple[float, float] | None:
    if values["answer"] is None:
        return None
    return squared_error(values), number_of(values["truth"], "truth")


def figures(parts: Sequence[Sequence[float]], weights: Floats) -> Mapping[str, Figure]:
    """Of pairs of the squared error and the truth."""
    import numpy as np

    errors, truths = np.asarray(parts, dtype=np.float64).T
    truths = truths - truths.mean()  # squares of far numbers would round the spread away
    with np.errstate(invalid="ignore", divide="ignore"):
        rows = weights.sum(axis=1)
        spread = weights @ truths**2 - (weights @ truths) ** 2 / rows
        r2 = np.where(spread > 0.0, 1.0 - (weights @ errors) / spread, np.nan)
    return {"r2": Figure(r2, len(parts))}


register(
    Evaluator(
        "squared_error",
        (ANSWER, TRUTH),
        lambda _: squared_error,
        higher_is_better=False,
        worst=None,
        make_aggregate=lambda _: Aggregate(_pair, figures),
    )
)
