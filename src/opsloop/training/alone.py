"""Train without a platform: a pipeline's file and a file of rows in, a model and its figures out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from opsloop.core.errors import InvalidInput, NotFound
from opsloop.datasets.expectations import declared as expectation_list
from opsloop.datasets.expectations import great_expectations
from opsloop.datasets.formats import registry as formats
from opsloop.datasets.staging import staging
from opsloop.datasets.staging import written as written_rows
from opsloop.training import declaration, learning, naming, pipeline
from opsloop.training.figures import listed
from opsloop.training.learning import Learned, Progress
from opsloop.training.outlet import Outlet
from opsloop.training.run_errors import OperationInvalid

_PROJECT_KEYS = {"project", "pipelines", "datasets"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A pipeline and the file that it learns from; `folder` holds the files of its functions."""

    name: str
    declared: dict[str, Any]
    folder: Path
    data: Path
    expectations: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """What a training came to: its figures, and where its files are by what they are."""

    pipeline: str
    data: str
    rows: int
    metrics: dict[str, float]
    artifacts: dict[str, str]
    steps: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What a chat channel reads."""
        lines = [f"\N{WHITE HEAVY CHECK MARK} *{self.pipeline}*: training finished", listed(self.metrics, 6)]
        lines.append(f"Data: {self.data} ({self.rows:,} rows)")
        return "\n".join([*lines, *(f"Model: {key}" for name, key in self.artifacts.items() if name == "model")])


def wanted(file: Path, name: str | None, data: Path | None) -> Wanted:
    """A pipeline of an `opsloop.yaml`, or one in a file of its own.

    Args:
        name: which of `pipelines:`; may be left out where there is one.
        data: rows to learn from; default: the file that `opsloop.yaml` has for the pipeline's dataset.
    Raises: NotFound, InvalidInput naming the field.
    """
    values = _read(file)
    chosen, declared = _pipeline(file, values, name)
    rows = data or _source(file, values, declared)
    if not rows.is_file():
        raise NotFound(f"{rows} is not there; name the rows to learn from with --data FILE")
    return Wanted(chosen, declared, file.resolve().parent, rows, _expectations(file, values, declared))


def trained(what: Wanted, progress: Progress, now: datetime) -> tuple[Learned, Mapping[str, Any]]:
    """Learn as a platform would. Raises: InvalidInput, PipelineInvalid, DataUnfit, ParityMissed, ExtraNeeded."""
    operation = declaration.parse(what.declared)
    pipeline.parse(declaration.learned(what.declared), f"pipelines.{what.name}", folder=what.folder)
    with staging(what.data.name) as place:
        staged = formats.staged(place, what.data)
        order = learning.order_of(
            what.declared,
            folder=what.folder,
            parquet=staged.path or written_rows(place, staged.query),
            schema=staged.columns,
            window=operation.window.pinned(now),
            data={"data": what.data.name},
        )
        name = operation.model or what.name
        learned = learning.learn(order, name=name, expectations=what.expectations, progress=progress)
    return learned, {"pipeline": what.name, "data": what.data.name, "rows": learned.rows}


def written(learned: Learned, facts: Mapping[str, Any], outlet: Outlet, at: datetime) -> dict[str, str]:
    """Write the model and its figures under the names of this second; keys by what they are."""
    stamp = naming.stamp(at, lambda stamp: any(outlet.has(key) for key in naming.keys(stamp).values()))
    keys = naming.keys(stamp)
    outlet.put(keys["model"], learned.onnx)
    outlet.put(keys["metrics"], naming.metrics_text(facts, learned.metrics).encode())
    outlet.put(keys["metrics_json"], msgspec.json.encode({**facts, "metrics": learned.metrics, **learned.report}))
    return keys


def made(learned: Learned, facts: Mapping[str, Any], artifacts: dict[str, str]) -> Made:
    return Made(
        pipeline=str(facts["pipeline"]),
        data=str(facts["data"]),
        rows=learned.rows,
        metrics=learned.metrics,
        artifacts=artifacts,
        steps=tuple(says for _, says in learned.steps),
        notes=tuple(learned.report["notes"]),
    )


def _read(file: Path) -> dict[str, Any]:
    found = _read_any(file)
    if not isinstance(found, dict):
        raise InvalidInput(field=str(file), value=found, wanted="a pipeline, or an opsloop.yaml with pipelines")
    return found


def _read_any(file: Path) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise NotFound(f"{file} cannot be read: {error}") from None
    except YAMLError as error:
        raise InvalidInput(f"{file}: no YAML: {' '.join(str(error).split())[:200]}", field=str(file)) from None


def _pipeline(file: Path, values: dict[str, Any], name: str | None) -> tuple[str, dict[str, Any]]:
    if not values.keys() & _PROJECT_KEYS:
        return name or file.stem, values
    known = values.get("pipelines") or {}
    if not isinstance(known, dict) or not known:
        raise NotFound(f"{file} declares no pipelines; add one under `pipelines:`")
    names = ", ".join(known)
    if name is None and len(known) > 1:
        raise InvalidInput(f"{file} declares several pipelines; name one of {names}", field="name")
    chosen = name or next(iter(known))
    if chosen not in known:
        raise NotFound(f"{file} declares no pipeline {chosen!r}; it has {names}")
    if not isinstance(known[chosen], dict):
        raise OperationInvalid(field=f"pipelines.{chosen}", value=known[chosen], wanted="a mapping of keys to values")
    return chosen, known[chosen]


def _dataset(values: dict[str, Any], declared: dict[str, Any]) -> dict[str, Any]:
    """What `opsloop.yaml` says of the pipeline's dataset."""
    known = values.get("datasets")
    found = known.get(str(declared.get("dataset", "")).partition("@")[0]) if isinstance(known, dict) else None
    return found if isinstance(found, dict) else {}


def _expectations(file: Path, values: dict[str, Any], declared: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Raises: ExpectationInvalid, InvalidInput."""
    wanted = _dataset(values, declared).get("expectations")
    if isinstance(wanted, str):
        found = _read_any(file.resolve().parent / wanted)
        if great_expectations.is_suite(found):
            suite = great_expectations.read(found, skip_unknown=True)
            return tuple(each.declared() for each in suite.expectations)
        wanted = found.get("expectations") if isinstance(found, dict) else found
    return () if wanted is None else tuple(each.declared() for each in expectation_list.parse(wanted))


def _source(file: Path, values: dict[str, Any], declared: dict[str, Any]) -> Path:
    """The file behind the pipeline's dataset."""
    dataset = str(declared.get("dataset", ""))
    source = _dataset(values, declared).get("source")
    if not isinstance(source, str):
        raise InvalidInput(f"{file} has no file for dataset {dataset!r}; name one with --data FILE", field="--data")
    return file.resolve().parent / source
