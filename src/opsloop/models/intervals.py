"""How sure a prediction is: conformal intervals of a regression, conformal sets of a classification.

Split conformal prediction: scores of rows the model was not fitted on, kept sorted, say how far predictions are off.
With n of them the ceil((n + 1)(1 - alpha))-th smallest is the width that holds the truth of a new row, exchangeable
with them, with a chance of at least 1 - alpha.

Sources: V. Vovk, A. Gammerman, G. Shafer, Algorithmic Learning in a Random World (2005), 4.1; J. Lei et al.,
Distribution-free predictive inference for regression, JASA 113 (2018), 1094-1111; M. Sadinle, J. Lei, L. Wasserman,
Least ambiguous set-valued classifiers with bounded error levels, JASA 114 (2019), 223-234.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opsloop.core.errors import InvalidInput
from opsloop.models.errors import ModelFileBroken
from opsloop.models.signature import Output


class NoIntervals(InvalidInput):
    template = "this model has no intervals: it was registered without a conformal calibration"


@dataclass(frozen=True, slots=True)
class Conformal:
    """Args:
    scores: sorted; of a regression absolute residuals, of a classification 1 - the probability of the true class.
    """

    scores: NDArray[np.float64]
    classes: tuple[Any, ...] = ()

    @classmethod
    def of(cls, document: Mapping[str, Any], output: Output) -> Conformal:
        """From `conformal.json`, `{"scores": […]}`. Raises: ModelFileBroken."""
        try:
            scores = np.sort(np.asarray(document["scores"], dtype=np.float64))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileBroken(file="conformal.json", reason=f"no list of scores ({error})") from None
        return cls(scores, output.classes)

    def width(self, alpha: float) -> float:
        """The score that new rows stay within with a chance of 1 - alpha; infinite when there are too few rows.

        Raises: InvalidInput.
        """
        if not 0 < alpha < 1:
            raise InvalidInput(field="alpha", value=alpha, wanted="a number above 0 and below 1, such as 0.1")
        rank = math.ceil((len(self.scores) + 1) * (1 - alpha))
        return float(self.scores[rank - 1]) if rank <= len(self.scores) else math.inf

    def interval(self, values: NDArray[np.float64], alpha: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        width = self.width(alpha)
        return values - width, values + width

    def sets(self, scores: NDArray[np.float64] | None, alpha: float) -> list[list[Any]]:
        """Raises: NoIntervals where the model gives no probabilities."""
        if scores is None or not self.classes:
            raise NoIntervals()
        within = 1.0 - scores <= self.width(alpha) + 1e-12
        return [[self.classes[at] for at in np.flatnonzero(row)] for row in within]


def conformal_of(found: Conformal | None) -> Conformal:
    """Raises: NoIntervals."""
    if found is None:
        raise NoIntervals()
    return found
