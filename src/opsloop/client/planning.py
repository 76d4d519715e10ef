"""How many rows the gate of an experiment's file needs, from the runs of it that were made."""

from __future__ import annotations

from pathlib import Path

from opsloop.client import yaml_lines
from opsloop.client.http import Client
from opsloop.core.errors import NotFound
from opsloop.evaluation.models import Run, RunStatus
from opsloop.evaluation.plans import GatePlan


def plan(client: Client, file: Path, *, run: str | None = None, baseline: str | None = None) -> GatePlan:
    """Plan the gate that a file declares; the default one where it declares none.

    Args:
        run: the run whose rows say how far they spread; unset: the newest finished one of the experiment.
        baseline: the run to pair it with; unset: the one before it on the same rows, if there is one.
    Raises: YamlUnreadable, NotFound when the experiment was never run to its end.
    """
    values = yaml_lines.read(file).values
    name = str(values.get("name"))
    done = [each for each in client.evaluations.listed(experiment=name) if each.status is RunStatus.DONE]
    chosen = _chosen(client, done, run)
    if chosen is None:
        raise NotFound(f"experiment {name} was not run yet, so nothing tells how far its rows spread; run {file} first")
    if baseline is None:
        baseline = next((each.id for each in done if each.id != chosen.id and _rows(each) == _rows(chosen)), None)
    return client.evaluations.plan(chosen.id, baseline=baseline, gate=values.get("gate"))


def _chosen(client: Client, done: list[Run], run: str | None) -> Run | None:
    if run is not None:
        return client.evaluations.get(run)
    return done[0] if done else None


def _rows(run: Run) -> list[str]:
    return [each.digest for each in run.datasets]
