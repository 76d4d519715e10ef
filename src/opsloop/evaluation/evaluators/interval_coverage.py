"""Whether the truth lies within what a model says it is sure of: an interval of numbers, or a set of classes.

Beside the share of rows that are covered stands how much was said to cover them, as `size`: the mean width of the
intervals, or the mean number of classes. A model that is never wrong because it rules nothing out shows there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opsloop.core.errors import shown
from opsloop.evaluation.errors import CannotScore
from opsloop.evaluation.evaluators.aggregates import Aggregate
from opsloop.evaluation.evaluators.parsed import number_of
from opsloop.evaluation.evaluators.registry import TRUTHS, Evaluator, Input, register
from opsloop.evaluation.evaluators.values import text
from opsloop.evaluation.statistics.figure import Figure

if TYPE_CHECKING:  # numpy is an extra
    from opsloop.evaluation.statistics.rows import Floats

_INTERVAL = Input("interval", ("run.outputs.interval", "run.outputs.set"))
_TRUTH = Input("truth", ("data.label", *TRUTHS))


def interval_coverage(values: Mapping[str, Any]) -> float:
    """1 when the truth lies within."""
    within = values["interval"]
    if isinstance(within, Mapping) and {"low", "high"} <= within.keys():
        low, high = number_of(within["low"], "interval.low"), number_of(within["high"], "interval.high")
        return float(low <= number_of(values["truth"], "truth") <= high)
    if isinstance(within, list):
        return float(text(values, "truth") in {text({"class": each}, "class") for each in within})
    raise CannotScore(f"interval is {shown(within)}; wanted low and high, or a list of classes")


def _size(values: Mapping[str, Any]) -> float | None:
    within = values["interval"]
    if within is None:
        return None
    if isinstance(within, list):
        return float(len(within))
    if isinstance(within, Mapping) and {"low", "high"} <= within.keys():
        return number_of(within["high"], "interval.high") - number_of(within["low"], "interval.low")
    return None


def _mean(parts: Sequence[float], weights: Floats) -> Mapping[str, Figure]:
    import numpy as np

    with np.errstate(invalid="ignore", divide="ignore"):
        return {"size": Figure(weights @ np.asarray(parts, dtype=np.float64) / weights.sum(axis=1), len(parts))}


register(
    Evaluator(
        "interval_coverage",
        (_INTERVAL, _TRUTH),
        lambda _: interval_coverage,
        make_aggregate=lambda _: Aggregate(_size, _mean, frozenset({"size"})),
    )
)
