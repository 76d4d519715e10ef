"""What can be wrong with a pipeline, and with the data it is to learn from."""

from __future__ import annotations

from opsloop.core.declared import DeclarationInvalid
from opsloop.core.errors import Failed, InvalidInput


class PipelineInvalid(DeclarationInvalid):
    """A pipeline is wrong at `field`, a key path such as `pipelines.iris.steps[1].scale.with_mean`."""


class DataUnfit(InvalidInput):
    """The rows cannot be learned from as the pipeline says; `field` is a column or a key of the pipeline."""


class FunctionBroke(Failed):
    template = "{function} of the pipeline failed: {reason}"


class FitFailed(Failed):
    template = "{estimator} could not be fitted: {reason}"


class PredictionFailed(Failed):
    template = "{estimator} was fitted and cannot predict: {reason}"
