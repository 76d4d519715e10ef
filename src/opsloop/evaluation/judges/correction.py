"""The rate that people would give, out of a judge's scores of many rows and people's labels of few.

The mean of the judge's scores, plus the mean of label minus score on the labelled rows: its systematic error drops out,
however large, and the interval widens by how much it scatters. It holds when the labelled rows are drawn from the same
kind of rows as the run's; labels of other rows correct for another judge.

Source: A. N. Angelopoulos et al., Prediction-powered inference, Science 382 (2023), 669-674, the estimator of a mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from opsloop.evaluation.evaluators.judging.spec import Scale
from opsloop.evaluation.judges.labels import farthest
from opsloop.evaluation.judges.models import Counted, Measured
from opsloop.evaluation.statistics.distributions import student_quantile

METHOD = "prediction-powered mean"


def corrected(
    scores: Sequence[float], table: Sequence[Counted], scale: Scale, *, confidence: float = 0.95
) -> Measured | None:
    """Args:
        scores: the judge's, of the rows of a run.
        table: labels and scores of the calibration.
    Returns: None with fewer than two rows on either side.
    """
    labelled = sum(each.rows for each in table)
    if len(scores) < 2 or labelled < 2:
        return None
    errors = [
        each.label - (farthest(each.label, scale) if each.score is None else each.score)
        for each in table
        for _ in range(each.rows)
    ]
    mean, spread = _moments(scores)
    shift, scatter = _moments(errors)
    value = mean + shift
    error = math.sqrt(spread / len(scores) + scatter / labelled)
    reach = student_quantile(0.5 + confidence / 2.0, min(len(scores), labelled) - 1) * error
    low, high = (max(scale.low, min(scale.high, end)) for end in (value - reach, value + reach))
    return Measured(max(scale.low, min(scale.high, value)), low, high, len(scores), METHOD)


def _moments(values: Sequence[float]) -> tuple[float, float]:
    """Mean and variance."""
    mean = math.fsum(values) / len(values)
    return mean, math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
