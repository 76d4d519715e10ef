"""How far probabilities are from what happened: half the sum over classes of (probability - happened)².

Half, so that two classes give (p - happened)² as it is known, and any number of them lies from 0 (sure and right) to 1
(sure and wrong).

Source: G. W. Brier, Verification of forecasts expressed in terms of probability, Monthly Weather Review 78 (1950), 1-3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from opsloop.evaluation.evaluators.probabilities import SCORES, TRUE_CLASS, probabilities, true_class
from opsloop.evaluation.evaluators.registry import Evaluator, register


def brier(values: Mapping[str, Any]) -> float:
    given, true = probabilities(values), true_class(values)
    missed = 0.0 if true in given else 1.0
    return (math.fsum((each - (name == true)) ** 2 for name, each in given.items()) + missed) / 2.0


register(Evaluator("brier", (SCORES, TRUE_CLASS), lambda _: brier, higher_is_better=False, worst=1.0))
