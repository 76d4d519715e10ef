"""What is stored beside a watch of the model and of how it is watched: JSON values, for pages, labels and exports."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.models import bundle as bundles
from opsloop.models.bundle import Bundle
from opsloop.models.signature import Task
from opsloop.monitoring.drift.declared import Watching
from opsloop.monitoring.expectations.compiled import Compiled, Unchecked, compiled
from opsloop.monitoring.expectations.reading import read

_TESTED = {Task.CLASSIFICATION: "accuracy", Task.REGRESSION: "mse"}


def rules_of(bundle: Bundle) -> Compiled:
    """A bundle's expectations; what cannot be read is named as not checked, and the model serves all the same."""
    inputs = {field.name: field.type.value for field in bundle.signature.inputs}
    try:
        found = read(bundle.document(bundles.EXPECTATIONS))
    except InvalidInput as error:
        return Compiled([], [], [], [Unchecked(bundles.EXPECTATIONS, error.sentence)], len(inputs))
    rules = compiled(found.expectations, inputs)
    skipped = [Unchecked(each, "it is not known here") for each in found.skipped]
    rules.unchecked = (*rules.unchecked, *skipped)
    return rules


def facts_of(bundle: Bundle, watching: Watching, rules: Compiled) -> dict[str, Any]:
    signature = bundle.signature
    task, metrics = signature.output.task, dict(bundle.manifest.metrics)
    return {
        "model": {
            "task": task.value,
            "output": signature.output.name,
            "classes": list(signature.output.classes),
            "inputs": [{"name": field.name, "type": field.type.value} for field in signature.inputs],
            "metrics": metrics,
        },
        "performance": _tested(watching, _TESTED[task], metrics),
        "segments": {name: list(cuts) for name, cuts in watching.segments.items()},
        "unchecked": [asdict(each) for each in rules.unchecked],
    }


def _tested(watching: Watching, metric: str, metrics: dict[str, float]) -> dict[str, Any] | None:
    """The arguments of `performance.falling.Validated`."""
    if watching.performance is None or metrics.get(metric) is None or metrics[metric] < 0:
        return None
    return {"metric": metric, "figure": float(metrics[metric]), **asdict(watching.performance)}
