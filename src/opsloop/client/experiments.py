"""Run an `experiment.yaml`: what it names in files goes to the platform first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from opsloop.client import targets
from opsloop.client.experiment_files import ExperimentFile, ExperimentFileInvalid, read, registered
from opsloop.client.http import Client
from opsloop.evaluation.models import GateReport, Run


def run(
    client: Client,
    file: Path,
    *,
    flow: Path | str | None = None,
    env: str | None = None,
    variants: str | None = None,
    timeout_s: float | None = None,
    tell: Callable[[Run], None] = lambda _: None,
) -> Run:
    """Register what the experiment names in files, run it, and wait for the end.

    Args:
        flow: folder of the flow, or a version such as `answer@2`; default: what the experiment names.
        env: environment whose overlay counts, such as `pr`.
        variants: in place of those of the file: `*`, `defaults`, or names with commas between.
        timeout_s: how long to wait, in seconds; for ever when None.
    Returns: the run; the first of those that share its `study` where variants make several.
    Raises: ExperimentFileInvalid, RunGoesOn, and what registering raises.
    """
    return run_read(client, read(file, env=env, variants=variants), flow=flow, timeout_s=timeout_s, tell=tell)


def run_read(
    client: Client,
    found: ExperimentFile,
    *,
    flow: Path | str | None = None,
    timeout_s: float | None = None,
    tell: Callable[[Run], None] = lambda _: None,
) -> Run:
    """As `run`, of an experiment that was read."""
    values = registered(client, found)
    started = client.evaluations.start(values, flow=_flow(client, found, flow))
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
    values = registered(client, read(file, variants="defaults"))
    again = client.evaluations.wait(client.evaluations.start(values, flow=stable_flow).id)
    return client.evaluations.gate(run.id, baseline=again.id)


def _flow(client: Client, found: ExperimentFile, given: Path | str | None) -> str:
    if isinstance(given, str):
        return given
    if given is None and found.experiment.target is not None:
        return targets.registered(client, found.experiment.target, found.experiment, found.folder)
    place = given if given is not None else found.flow_at(found.experiment.flow or found.experiment.name)
    if given is None and found.experiment.flow is None and not place.exists():
        raise ExperimentFileInvalid(
            f"{found.file} names no flow; add `flow:` to it, or name one with --flow", field="flow"
        )
    return client.flows.register(place).ref
