"""What can be wrong with a pipeline, and with the data it is to learn from."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from opsloop.core.errors import Failed, InvalidInput


class PipelineInvalid(InvalidInput):
    """A pipeline is wrong at `field`, a key path such as `pipelines.iris.steps[1].scale.with_mean`."""

    def __init__(self, field: str, wanted: str, *, known: Iterable[str] = (), **facts: Any) -> None:
        near = get_close_matches(str(facts.get("value")), list(known), n=1)
        super().__init__(field=field, wanted=wanted + (f"; did you mean {near[0]!r}?" if near else ""), **facts)


class DataUnfit(InvalidInput):
    """The rows cannot be learned from as the pipeline says; `field` is a column or a key of the pipeline."""


class FunctionBroke(Failed):
    template = "{function} of the pipeline failed: {reason}"


class FitFailed(Failed):
    template = "{estimator} could not be fitted: {reason}"


class PredictionFailed(Failed):
    template = "{estimator} was fitted and cannot predict: {reason}"
