"""From rows of a dataset to a registered version: what a run does, without knowing that it is one.

Nothing of scikit-learn is loaded until something is learned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from opsloop.core.workspace import UnitOfWork
from opsloop.datasets.models import Column
from opsloop.training import declaration, pipeline
from opsloop.training import window as windows
from opsloop.training.run_errors import OperationInvalid, WindowEmpty
from opsloop.training.surroundings import surroundings
from opsloop.training.window import Window

if TYPE_CHECKING:
    from opsloop.models.candidate import Candidate
    from opsloop.models.models import ModelVersion
    from opsloop.training.pipeline import PipelineSpec
    from opsloop.training.table import Table
    from opsloop.training.trained import Trained

STAGES = 100
Progress = Callable[[int, int, str], None]
Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Learned:
    """A model that wants to be registered as `name`, with its figures and what the training found.

    `steps` are lines for the record: what was done, and what came of it.
    """

    name: str
    candidate: Candidate
    rows: int
    metrics: dict[str, float]
    report: dict[str, Any]
    steps: tuple[tuple[str, str], ...]

    @property
    def onnx(self) -> bytes:
        return self.candidate.files["model.onnx"]


def check(declared: Mapping[str, Any], folder: Path) -> None:
    """Raises: PipelineInvalid, OperationInvalid when it names no dataset."""
    spec_of(declared, folder)
    dataset_of(declared)


def spec_of(declared: Mapping[str, Any], folder: Path) -> PipelineSpec:
    """What is learned and how. Raises: PipelineInvalid."""
    return pipeline.parse(declaration.learned(declared), folder=folder)


def dataset_of(declared: Mapping[str, Any]) -> str:
    """The dataset, or version of it, that a pipeline learns from. Raises: OperationInvalid."""
    found = declared.get("dataset")
    if not isinstance(found, str) or not found:
        raise OperationInvalid("dataset: is missing; wanted a dataset's name, or a version as iris@3", field="dataset")
    return found


def libraries() -> dict[str, str]:
    """What training runs with: with other libraries the same rows may make another model."""
    return surroundings()


def table_of(spec: PipelineSpec, schema: Iterable[Column], rows: Rows, window: Window) -> Table:
    """The rows of a window as a table to learn from. Raises: WindowEmpty, PipelineInvalid, DataUnfit."""
    from opsloop.training.table import column_of
    from opsloop.training.tabulating import table_of

    chosen = windowed(rows, window)
    if not chosen:
        raise WindowEmpty(window=window)
    return table_of(spec, [column_of(each.name, [row.get(each.name) for row in chosen], each.type) for each in schema])


def windowed(rows: Rows, window: Window) -> list[Mapping[str, Any]]:
    """The rows of a window, in their order. Raises: OperationInvalid for a column that holds no dates."""
    found = list(rows)
    column = window.column
    if column is None:
        return found if window.rows is None else found[-window.rows :]
    if found and not any(column in row for row in found):
        wanted = f"one of {', '.join(found[0])}"
        raise OperationInvalid(field="window.column", value=column, wanted=wanted)
    if window.since is not None:
        since = windows.instant(window.since)
        assert since is not None
        dated = [(windows.instant(row.get(column)), row) for row in found]
        if found and not any(at is not None for at, _ in dated):
            raise OperationInvalid(field="window.column", value=column, wanted="a column of dates such as 2026-11-01")
        found = [row for at, row in dated if at is not None and at >= since]
    if window.rows is None:
        return found
    known = [place for place, row in enumerate(found) if row.get(column) is not None]
    newest = sorted(known, key=lambda place: (_order(found[place][column]), place))[-window.rows :]
    return [found[place] for place in sorted(newest)]


def _order(value: Any) -> tuple[int, float, str]:
    """Numbers before instants before other text."""
    if isinstance(value, int | float):
        return 0, float(value), ""
    at = windows.instant(value)
    return (1, at.timestamp(), "") if at is not None else (2, 0.0, str(value))


def learn(spec: PipelineSpec, table: Table, *, name: str, progress: Progress) -> Learned:
    """Train, and make what is to be registered: slow, and outside any transaction.

    Raises: PipelineInvalid, DataUnfit, FunctionBroke, FitFailed, ParityMissed, ExtraNeeded.
    """
    from opsloop.training.runner import train_table

    trained = train_table(spec, table, progress=progress)
    progress(1, 1, "convert to ONNX and check that it agrees")
    candidate = _candidate(spec, trained)
    parity = candidate.parity
    figures = ", ".join(f"{name} {value:.4g}" for name, value in list(trained.metrics.items())[:4])
    said = f"{parity.precision}, largest difference {parity.largest_difference:.2g} on {parity.rows:,} rows"
    return Learned(
        name=name,
        candidate=candidate,
        rows=table.rows,
        metrics={name: float(value) for name, value in trained.metrics.items()},
        report=report_of(trained),
        steps=(
            ("train", f"{figures} on {trained.measured_rows:,} rows ({trained.measured_on.replace('_', ' ')})"),
            ("convert", f"ONNX agrees with scikit-learn: {said}"),
        ),
    )


def register(uow: UnitOfWork, learned: Learned, *, run: str, dataset: str) -> ModelVersion:
    """The version, with alias challenger; the same run registers once."""
    from opsloop.models import service as models

    return models.register(uow, learned.name, learned.candidate, run=run, dataset=dataset, alias=models.CHALLENGER)


def report_of(trained: Trained) -> dict[str, Any]:
    """What a run found, as JSON values."""
    return {
        "task": trained.task,
        "measured_on": trained.measured_on,
        "folds": _folds(trained),
        "cross_validation": {
            name: {"mean": each.mean, "spread": each.deviation} for name, each in trained.folds.items()
        },
        "importance": [
            {"name": each.feature, "mean": each.loss, "spread": each.spread}
            for each in (trained.importance.features if trained.importance is not None else ())
        ],
        "parameters": msgspec.to_builtins(dict(trained.parameters), enc_hook=_plain, str_keys=True),
        "intervals": [asdict(each) if not hasattr(each, "_asdict") else each._asdict() for each in _coverage(trained)],
        "environment": msgspec.to_builtins(dict(trained.environment), enc_hook=_plain, str_keys=True),
        "notes": list(trained.warnings),
    }


def _coverage(trained: Trained) -> tuple[Any, ...]:
    return tuple(trained.conformal.coverage) if trained.conformal is not None else ()


def _folds(trained: Trained) -> list[dict[str, float]]:
    count = max((len(each.values) for each in trained.folds.values()), default=0)
    return [{name: each.values[place] for name, each in trained.folds.items()} for place in range(count)]


def _candidate(spec: PipelineSpec, trained: Trained) -> Candidate:
    from opsloop.models.conversion import candidate_of

    importance = trained.importance
    return candidate_of(
        trained.estimator,
        trained.X,
        trained.y,
        signature_of(trained),
        metrics=trained.metrics,
        importance=msgspec.to_builtins(importance) if importance is not None else None,
        conformal=msgspec.json.decode(trained.conformal.to_json()) if trained.conformal is not None else None,
        environment=trained.environment,
        seed=spec.seed,
    )


def signature_of(trained: Trained) -> Any:
    """What the model takes and gives, as the rows it learned from show it."""
    from opsloop.models.signature import Field, FieldType, Output, Signature, Task

    inputs = tuple(
        Field(each.name, FieldType(each.type.value), each.low, each.high, each.categories, nullable=each.has_missing)
        for each in trained.features
    )
    return Signature(inputs, Output(trained.target, Task(trained.task), trained.classes))


def _plain(value: Any) -> Any:
    """Figures of NumPy as JSON has them; anything else by what it is called."""
    return value.tolist() if hasattr(value, "tolist") else str(value)
