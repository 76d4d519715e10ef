"""How sure a prediction is: the intervals of a bundle's `conformal.json`, in words of its classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from opsloop.core.errors import InvalidInput
from opsloop.models import conformal
from opsloop.models.conformal import Scores
from opsloop.models.errors import ModelFileBroken
from opsloop.models.signature import Output, Task


class NoIntervals(InvalidInput):
    template = "this model has no intervals: it was registered without a conformal calibration"


@dataclass(frozen=True, slots=True)
class Conformal:
    rule: conformal.Conformal
    classes: tuple[Any, ...] = ()

    @classmethod
    def of(cls, document: Mapping[str, Any], output: Output) -> Conformal:
        """From `conformal.json`: what `conformal.Conformal` holds, or `{"scores": […]}`.

        The latter are absolute residuals of a regression, of a classification 1 - the probability of the true class.
        Raises: ModelFileBroken.
        """
        try:
            if isinstance(document["scores"], list):
                return cls(_of_scores(document["scores"], output), output.classes)
            return cls(msgspec.convert(document, conformal.Conformal), output.classes)
        except (KeyError, TypeError, ValueError, msgspec.ValidationError) as error:
            raise ModelFileBroken(file="conformal.json", reason=f"no list of scores ({error})") from None

    def interval(self, values: NDArray[np.float64], alpha: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Raises: InvalidInput, NoIntervals of a classification."""
        _check(alpha)
        if self.classes:
            raise NoIntervals("a classification has sets of classes, and no intervals")
        return self.rule.interval(values, alpha)

    def sets(self, scores: NDArray[np.float64] | None, alpha: float) -> list[list[Any]]:
        """Raises: InvalidInput, NoIntervals where the model gives no probabilities."""
        _check(alpha)
        if scores is None or not self.classes:
            raise NoIntervals()
        within = self.rule.sets(np.asarray(scores, dtype=np.float64), alpha)
        return [[self.classes[at] for at in np.flatnonzero(row)] for row in within]


def conformal_of(found: Conformal | None) -> Conformal:
    """Raises: NoIntervals."""
    if found is None:
        raise NoIntervals()
    return found


def _of_scores(scores: list[Any], output: Output) -> conformal.Conformal:
    values = np.sort(np.asarray(scores, dtype=np.float64)).tolist()
    method = "lac" if output.task is Task.CLASSIFICATION else "absolute"
    return conformal.Conformal(method, "held_out", Scores(len(values), tuple(values)))


def _check(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise InvalidInput(field="alpha", value=alpha, wanted="a number above 0 and below 1, such as 0.1")
