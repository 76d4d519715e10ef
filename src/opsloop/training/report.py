"""What is told of a training run: all of it but the model itself, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsloop.models.conformal import Coverage
from opsloop.training.confusion import Confusion
from opsloop.training.importance import Importances
from opsloop.training.searching import Searched
from opsloop.training.table import Feature
from opsloop.training.trained import Spread, Trained


@dataclass(frozen=True, slots=True)
class IntervalReport:
    """How the intervals were made and what they came to, each alpha on rows kept apart from their calibration."""

    method: str
    calibrated_on: str
    rows: int
    coverage: tuple[Coverage, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Report:
    """See `Trained`; `rows` were learned from."""

    task: str
    target: str
    classes: tuple[str | int | bool, ...]
    features: tuple[Feature, ...]
    rows: int
    metrics: Mapping[str, float]
    measured_on: str
    measured_rows: int
    constant: Mapping[str, float]
    folds: Mapping[str, Spread]
    confusion: Confusion | None
    importance: Importances | None
    intervals: IntervalReport | None
    search: Searched | None
    parameters: Mapping[str, Any]
    environment: Mapping[str, Any]
    warnings: tuple[str, ...]


def report_of(trained: Trained) -> Report:
    conformal = trained.conformal
    intervals = None
    if conformal is not None:
        intervals = IntervalReport(
            conformal.method, conformal.calibrated_on, conformal.scores.rows, conformal.coverage, conformal.note
        )
    return Report(
        task=trained.task,
        target=trained.target,
        classes=trained.classes,
        features=trained.features,
        rows=trained.rows,
        metrics=trained.metrics,
        measured_on=trained.measured_on,
        measured_rows=trained.measured_rows,
        constant=trained.constant,
        folds=trained.folds,
        confusion=trained.confusion,
        importance=trained.importance,
        intervals=intervals,
        search=trained.search,
        parameters=trained.parameters,
        environment=trained.environment,
        warnings=trained.warnings,
    )
