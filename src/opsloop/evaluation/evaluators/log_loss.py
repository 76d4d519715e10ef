"""How surprised a model was by the truth: -ln of the probability that it gave to the true class.

0 when it was sure and right. A probability of 0 counts as 1e-15, so that one sure mistake does not make the mean
infinite.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from opsloop.evaluation.evaluators.probabilities import SCORES, TRUE_CLASS, probabilities, true_class
from opsloop.evaluation.evaluators.registry import Evaluator, register

LEAST = 1e-15


def log_loss(values: Mapping[str, Any]) -> float:
    """In nats. A class that the model does not know has the probability 0."""
    return -math.log(min(1.0, max(LEAST, probabilities(values).get(true_class(values), 0.0))))


register(
    Evaluator(
        "log_loss",
        (SCORES, TRUE_CLASS),
        lambda _: log_loss,
        higher_is_better=False,
        worst=-math.log(LEAST),
        unit="nats",
    )
)
