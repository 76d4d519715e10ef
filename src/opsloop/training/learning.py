"""From a declared pipeline and a dataset version to a registered version: what a run does, without knowing it is one.

The training itself goes on in a process of its own (`apart`), so that it can be ended at any moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from opsloop.core.compute.settings import ComputeSettings
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.datasets.models import Column
from opsloop.training import declaration, pipeline
from opsloop.training.figures import listed
from opsloop.training.measure_names import HIGHER_IS_BETTER
from opsloop.training.pipeline import PipelineSpec
from opsloop.training.run_errors import OperationInvalid
from opsloop.training.surroundings import surroundings
from opsloop.training.window import Window
from opsloop.training.windowed import table_of as table_of
from opsloop.training.windowed import windowed as windowed

if TYPE_CHECKING:
    from opsloop.models.candidate import Candidate
    from opsloop.models.models import ModelVersion
    from opsloop.training.orders import Order
    from opsloop.training.report import Report

STAGES = 100
SEARCH_SHOWN = 20
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class Learned:
    """A model that wants to be registered as `name`, with its figures and what the training found.

    `rows` are those of the window, held out ones among them. `steps` are lines for the record: what was done, and what
    came of it.
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


def time_columns(declared: Mapping[str, Any]) -> set[str]:
    """The columns by which a pipeline orders rows in time."""
    named = [declared.get("window"), declared.get("holdout"), declared.get("cross_validation")]
    found = [part.get(key) for part in named if isinstance(part, dict) for key in ("column", "time_ordered")]
    return {each for each in found if isinstance(each, str) and each}


def libraries() -> dict[str, str]:
    """What training runs with: with other libraries the same rows may make another model."""
    return surroundings()


def order_of(
    declared: Mapping[str, Any],
    *,
    folder: Path,
    parquet: Path,
    schema: Sequence[Column],
    window: Window,
    data: Mapping[str, str],
    compute: ComputeSettings | None = None,
    workspace: Workspace | None = None,
) -> Order:
    """What goes to the process that trains.

    Args:
        folder: with the files of the pipeline's functions.
        window: pinned, so that it is the same rows whenever they are read.
        data: names the rows, for the record.
        workspace: whose datasets a function of the pipeline may read.
    """
    from opsloop.training.orders import Order, Project  # brings NumPy
    from opsloop.training.reading import Wanted

    chosen = compute or ComputeSettings()
    return Order(
        declared=declaration.learned(declared),
        folder=str(folder),
        parquet=str(parquet),
        schema=tuple(schema),
        wanted=Wanted(newest=window.rows, column=window.column, since=window.since),
        data=dict(data),
        compute=chosen.compute,
        processes=chosen.processes,
        ray_address=chosen.ray_address,
        ray_workers=chosen.ray_workers,
        project=Project.of(workspace) if workspace is not None else None,
    )


def learn(order: Order, *, name: str, expectations: Sequence[Mapping[str, Any]] = (), progress: Progress) -> Learned:
    """Train, and make what is to be registered: slow, and outside any transaction.

    Args:
        expectations: what is declared of the rows; goes with the model, to hold requests against.
    Raises: PipelineInvalid, DataUnfit, FunctionBroke, FitFailed, ParityMissed, TrainingBroke, ExtraNeeded.
    """
    from opsloop.training.answer import Answer
    from opsloop.training.apart import run_apart

    answer = msgspec.msgpack.decode(run_apart(order, progress), type=Answer)
    report = answer.report
    files = {**answer.candidate.files, "expectations.json": msgspec.json.encode(list(expectations))}
    return Learned(
        name=name,
        candidate=replace(answer.candidate, files=files),
        rows=_rows(report),
        metrics={name: float(value) for name, value in report.metrics.items()},
        report=_told(report),
        steps=_steps(report, answer.candidate),
    )


def register(uow: UnitOfWork, learned: Learned, *, run: str, dataset: str) -> ModelVersion:
    """The version, with alias challenger; the same run registers once."""
    from opsloop.models import service as models

    return models.register(uow, learned.name, learned.candidate, run=run, dataset=dataset, alias=models.CHALLENGER)


def _rows(report: Report) -> int:
    return report.rows + (report.measured_rows if report.measured_on == "held_out" else 0)


def _steps(report: Report, candidate: Candidate) -> tuple[tuple[str, str], ...]:
    parity = candidate.parity
    figures = listed(report.metrics, 4)
    said = f"{parity.precision}, largest difference {parity.largest_difference:.2g} on {parity.rows:,} rows"
    searched: tuple[tuple[str, str], ...] = ()
    if report.search is not None:
        best = ", ".join(f"{name} {value}" for name, value in report.search.best.parameters.items())
        searched = (("search", f"best of {len(report.search.tried):,} candidates by {report.search.metric}: {best}"),)
    return (
        ("rows", f"{_rows(report):,} rows, {len(report.features)} inputs"),
        *searched,
        ("train", f"{figures} on {report.measured_rows:,} rows ({report.measured_on.replace('_', ' ')})"),
        ("convert", f"ONNX agrees with what was trained: {said}"),
    )


def _told(report: Report) -> dict[str, Any]:
    """What a run found, as JSON values."""
    intervals = report.intervals
    found = {
        "task": report.task,
        "measured_on": report.measured_on,
        "measured_rows": report.measured_rows,
        "constant": report.constant,
        "confusion": msgspec.to_builtins(report.confusion) if report.confusion is not None else None,
        "folds": _folds(report),
        "cross_validation": {n: {"mean": each.mean, "spread": each.deviation} for n, each in report.folds.items()},
        "importance": [
            {"name": each.feature, "mean": each.loss, "spread": each.spread}
            for each in (report.importance.features if report.importance is not None else ())
        ],
        "search": _search(report),
        "parameters": dict(report.parameters),
        "intervals": [
            {"alpha": each.alpha, "coverage": each.coverage, "size": each.size, "rows": each.rows}
            for each in (intervals.coverage if intervals is not None else ())
        ],
        "environment": dict(report.environment),
        "notes": list(report.warnings),
    }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(found, enc_hook=_plain))
    return plain


def _search(report: Report) -> dict[str, Any] | None:
    """What was tried, the best first; a candidate that a halving met again stands there with the most rows."""
    found = report.search
    if found is None:
        return None
    known = {repr(each.parameters): each for each in found.tried if each.score is not None}
    sign = -1.0 if found.metric in HIGHER_IS_BETTER else 1.0
    ranked = sorted(known.values(), key=lambda each: (-each.rows, sign * (each.score or 0.0)))
    failures = sorted({each.failure for each in found.tried if each.score is None})
    return {
        "metric": found.metric,
        "tries": len(found.tried),
        "best": [
            {"parameters": each.parameters, "score": each.score, "rows": each.rows} for each in ranked[:SEARCH_SHOWN]
        ],
        "failures": failures[:SEARCH_SHOWN],
    }


def _folds(report: Report) -> list[dict[str, float]]:
    count = max((len(each.values) for each in report.folds.values()), default=0)
    return [{name: each.values[place] for name, each in report.folds.items()} for place in range(count)]


def _plain(value: Any) -> Any:
    """Figures of NumPy as JSON has them; anything else by what it is called."""
    return value.tolist() if hasattr(value, "tolist") else str(value)
