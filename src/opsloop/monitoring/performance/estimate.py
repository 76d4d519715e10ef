"""Estimate a release's first figure from the rows it was sent, without their labels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.drift import inputs
from opsloop.monitoring.drift.inputs import Truth
from opsloop.monitoring.drift.watches import StoredWatch
from opsloop.monitoring.performance.estimating import NoEstimate, estimated
from opsloop.monitoring.performance.figures import FIRST, HIGHER_IS_BETTER
from opsloop.monitoring.performance.reports import Estimate, Figure

ROWS = 2_000
LEAST_LABELS = 30


def estimate(
    uow: UnitOfWork, watch: StoredWatch, task: str, since: datetime, measured: Sequence[Figure]
) -> Estimate | None:
    """Args: measured: the figures by labels, to tell how far off the estimate is."""
    name = FIRST[task]
    validated = watch.about.get("model", {}).get("metrics", {}).get(name)
    truth = inputs.labelled_reference(uow.workspace, watch)
    if validated is None or truth is None:
        return None
    served = inputs.lately(uow, watch.endpoint, release=watch.release, since=since, limit=ROWS)
    try:
        value, low, high = estimated(
            truth.rows.X.tolist(),
            _losses(task, truth),
            served.X.tolist(),
            are_numbers=[each.is_number or each.type == "boolean" for each in inputs.inputs_of(watch)],
            validated=float(validated),
            higher_is_better=name in HIGHER_IS_BETTER,
        )
    except NoEstimate as why:
        return Estimate(name, None, None, None, len(served.X), reason=str(why))
    told = next((each for each in measured if each.name == name and each.rows >= LEAST_LABELS), None)
    return Estimate(name, value, low, high, len(served.X), None if told is None else value - told.value)


def _losses(task: str, truth: Truth) -> list[float]:
    pairs: list[tuple[Any, Any]] = list(zip(truth.labels, truth.rows.predictions, strict=True))
    if task == "classification":
        return [float(label != said) for label, said in pairs]
    return [(float(label) - float(said)) ** 2 for label, said in pairs]
