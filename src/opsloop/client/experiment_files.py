"""`experiment.yaml` as it lies in a folder: with the overlay of an environment, and what it names put in its place.

The rules are those of Microsoft's genaiops-promptflow-template. `experiment.pr.yaml` beside it replaces whole blocks; a
block that stands there empty is empty. A flow is the folder it names, or the one of that name in `flows/`; a dataset
the file it names, or the one of that name in `data/`. `environment/env.yaml` holds environment variables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsloop.client import script_evaluators, yaml_lines
from opsloop.client.experiment_functions import with_sources
from opsloop.client.http import Client
from opsloop.core.errors import InvalidInput
from opsloop.evaluation.experiment import parse
from opsloop.evaluation.models import Experiment
from opsloop.flows.errors import FlowMissing
from opsloop.flows.formats import flow_file

ENVIRONMENT = Path("environment") / "env.yaml"
# What an overlay does not change: they say which experiment it is.
_NOT_OVERLAID = ("name", "flow")
_LISTS = ("datasets", "evaluators", "connections")


class ExperimentFileInvalid(InvalidInput):
    """The experiment's file is wrong: the file, and what is wrong in it."""


@dataclass(frozen=True, slots=True)
class ExperimentFile:
    """An experiment and the file it stands in; `notes` say how it was read."""

    file: Path
    values: dict[str, Any]
    experiment: Experiment
    notes: tuple[str, ...] = field(default=())

    @property
    def folder(self) -> Path:
        return self.file.parent

    def flow_at(self, written: str) -> Path:
        """Where a flow lies that the experiment names."""
        within = self.folder / "flows" / written
        return within if not (self.folder / written).exists() and within.exists() else self.folder / written

    def data_at(self, source: str) -> Path:
        """Where a dataset lies that the experiment names."""
        within = self.folder / "data" / source
        return within if not (self.folder / source).exists() and within.exists() else self.folder / source


def read(
    file: Path, *, env: str | None = None, variants: str | None = None, target: str | None = None
) -> ExperimentFile:
    """The experiment in a file.

    Args:
        env: environment whose overlay counts: `pr` for `experiment.pr.yaml`.
        variants, target: in place of those of the file.
    Raises: YamlUnreadable, ExperimentFileInvalid, both naming the file.
    """
    values, notes = _with_overlay(file, env)
    variables, own = _variables(file.parent / ENVIRONMENT), values.get("environment_variables") or {}
    if variables and isinstance(own, Mapping):
        values["environment_variables"] = {**variables, **own}
    if variants is not None:
        values["variants"] = variants
    if target is not None:
        values["target"] = target
    try:
        values = with_sources(values, file.parent)
        return ExperimentFile(file, values, parse(values), tuple(notes))
    except InvalidInput as error:
        raise ExperimentFileInvalid(f"{file}: {error.sentence}", field=error.facts.get("field")) from error


def registered(client: Client, found: ExperimentFile) -> dict[str, Any]:
    """What the platform gets of the experiment: datasets and evaluation flows registered, and named by their versions.

    Raises: what registering raises.
    """
    for dataset in found.experiment.datasets:
        place = found.data_at(dataset.source) if dataset.source else None
        if place is not None and place.is_file():
            client.datasets.register(dataset.name.partition("@")[0], place)
    evaluators = [_evaluator(client, found, each) for each in found.values.get("evaluators") or ()]
    return {**found.values, "evaluators": evaluators}


def _evaluator(client: Client, found: ExperimentFile, declared: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(declared)
    datasets = [_joined(client, found, each) for each in values.get("datasets") or ()]
    place = found.flow_at(values.get("flow") or values["name"])
    if _is_flow(place):
        values["flow"] = client.flows.register(place).ref
    elif script_evaluators.modules_in(place):
        flow = found.experiment.flow or found.experiment.name
        values |= script_evaluators.registered(client, found.folder, place, flow, values["name"])
        datasets = [{**each, "mappings": script_evaluators.rows_passed(each.get("mappings"))} for each in datasets]
    return {**values, "datasets": datasets}


def _joined(client: Client, found: ExperimentFile, declared: Mapping[str, Any]) -> dict[str, Any]:
    """A dataset that an evaluator reads beside another: registered, and named by its version, for another evaluator may
    call other rows by the same name."""
    values = dict(declared)
    place = found.data_at(values["source"]) if values.get("source") else None
    if place is not None and place.is_file():
        version = client.datasets.register(values["name"], place)
        values["source"] = f"azureml:{version.name}:{version.version}"
    return values


def _is_flow(place: Path) -> bool:
    try:
        return flow_file.find(place) is not None
    except FlowMissing:
        return False


def _with_overlay(file: Path, env: str | None) -> tuple[dict[str, Any], list[str]]:
    values = yaml_lines.read(file).values
    if env is None:
        return values, []
    overlay = file.with_name(f"{file.stem}.{env}{file.suffix}")
    if not overlay.is_file():
        return values, [f"there is no {overlay.name}: the experiment runs as {file.name} says"]
    changed = yaml_lines.read(overlay).values
    merged = {**values, **{key: value for key, value in changed.items() if key not in _NOT_OVERLAID}}
    for key in _LISTS:
        merged[key] = merged.get(key) or []
    if "datasets" not in changed or "evaluators" in changed or not _are_named(merged["datasets"], merged["evaluators"]):
        return merged, []
    kept = list(_still_for(merged["evaluators"], {each["name"] for each in merged["datasets"]}))
    left = {each["name"] for each in kept}
    gone = [each["name"] for each in merged["evaluators"] if each["name"] not in left]
    merged["evaluators"] = kept
    return merged, [f"evaluator {name} has no dataset under {overlay.name} and is left out" for name in gone]


def _are_named(*lists: object) -> bool:
    """Whether these are lists of mappings with names; what is wrong in them is said when they are read."""
    return all(
        isinstance(each, list) and all(isinstance(one, dict) and one.get("name") for one in each) for each in lists
    )


def _still_for(evaluators: list[dict[str, Any]], datasets: set[Any]) -> Iterator[dict[str, Any]]:
    """Evaluators without the datasets that an overlay took away."""
    for each in evaluators:
        used = each.get("datasets") or []
        if not _are_named(used):
            yield each
            continue
        left = [one for one in used if (one.get("reference") or one["name"]) in datasets]
        if left or not used:
            yield {**each, "datasets": left}


def _variables(file: Path) -> dict[str, Any]:
    return yaml_lines.read(file).values if file.is_file() else {}
