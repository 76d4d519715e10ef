"""Run an `experiment.yaml`: what it names in files goes to the platform first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from opsloop.client import yaml_lines
from opsloop.client.http import Client
from opsloop.core.errors import InvalidInput
from opsloop.evaluation.experiment import parse
from opsloop.evaluation.models import Experiment, GateReport, Run


class ExperimentFileInvalid(InvalidInput):
    """The experiment's file is wrong: the file, and what is wrong in it."""


def read(file: Path) -> Experiment:
    """The experiment in a file. Raises: YamlUnreadable, ExperimentFileInvalid, both naming the file."""
    return _read(file)[1]


def run(
    client: Client,
    file: Path,
    *,
    flow: Path | str | None = None,
    timeout_s: float | None = None,
    tell: Callable[[Run], None] = lambda _: None,
) -> Run:
    """Register what the experiment names in files, run it, and wait for the end.

    Args:
        flow: folder of the flow, or a version such as `answer@2`; default: the folder that the experiment names.
        timeout_s: how long to wait, in seconds; for ever when None.
    Raises: ExperimentFileInvalid, RunGoesOn, and what registering raises.
    """
    values, experiment = _read(file)
    for dataset in experiment.datasets:
        source = file.parent / dataset.source if dataset.source else None
        if source is not None and source.is_file():
            client.datasets.register(dataset.name.partition("@")[0], source)
    started = client.evaluations.start(values, flow=_flow(client, file, experiment, flow))
    return client.evaluations.wait(started.id, timeout_s=timeout_s, tell=tell)


def judge(client: Client, file: Path, run: Run, *, stable_run: str | None, stable_flow: str | None) -> GateReport:
    """The gate's verdict on a run, beside that of the endpoint's stable release.

    When the stable release was evaluated on other rows, or never, its flow is evaluated on these first.

    Args:
        stable_run, stable_flow: of the stable release; None when there is none.
    """
    from opsloop.client.errors import ServerProblem

    if stable_flow is None:
        return client.evaluations.gate(run.id)
    try:
        if stable_run is not None:
            return client.evaluations.gate(run.id, baseline=stable_run)
    except ServerProblem as error:
        if error.problem != "not-comparable":
            raise
    values, _ = _read(file)
    again = client.evaluations.wait(client.evaluations.start(values, flow=stable_flow).id)
    return client.evaluations.gate(run.id, baseline=again.id)


def _read(file: Path) -> tuple[dict[str, Any], Experiment]:
    values = yaml_lines.read(file).values
    try:
        return values, parse(values)
    except InvalidInput as error:
        raise ExperimentFileInvalid(f"{file}: {error.sentence}", field=error.facts.get("field")) from error


def _flow(client: Client, file: Path, experiment: Experiment, given: Path | str | None) -> str:
    if isinstance(given, str):
        return given
    folder = given if given is not None else file.parent / experiment.flow if experiment.flow else None
    if folder is None:
        raise ExperimentFileInvalid(f"{file} names no flow; add `flow:` to it, or name one with --flow", field="flow")
    return client.flows.register(folder).ref
