"""Evaluate a flow as a pipeline wants it, beside what it is to replace, with the gate's verdict."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from opsloop.client import apply as applying
from opsloop.client import experiment_files, experiments, plan
from opsloop.client.ci.base_tree import at_commit
from opsloop.client.errors import ServerProblem
from opsloop.client.http import Client
from opsloop.client.project import Project
from opsloop.core.errors import Failed, NotFound
from opsloop.evaluation.models import GateReport, Run, RunStatus
from opsloop.evaluation.verdicts import Verdict

Tell = Callable[[str, int, int], None]


class NothingServed(NotFound):
    template = "{endpoint} serves no release yet; `opsloop apply` makes its first one"


@dataclass(frozen=True, slots=True)
class Check:
    """What came of it.

    Attributes:
        baseline: the run it was compared with; None where there is nothing to compare with.
        gate: None when the experiment declares no gate.
        note: what a reader should know beside the verdict.
        is_new: whether the flow is another than that it is to replace.
    """

    run: Run
    baseline: Run | None
    gate: GateReport | None
    note: str = ""
    is_new: bool = True

    @property
    def verdict(self) -> Verdict | None:
        return self.gate.verdict if self.gate is not None else None

    def is_good(self, *, allow_inconclusive: bool = False) -> bool:
        """Without a gate nothing is known to be good."""
        return self.verdict is Verdict.PASS or (allow_inconclusive and self.verdict is Verdict.INCONCLUSIVE)


def pull_request(client: Client, project: Project, file: Path, *, base: str, env: str | None, tell: Tell) -> Check:
    """The flow in the working tree beside that of the commit `base`, both on the rows of the working tree.

    The project's collections and datasets go to the platform first; its endpoints stay as they are.
    """
    prepare(client, project, tell)
    declared = experiment_files.read(file, env=env)
    written = declared.experiment.flow or declared.experiment.name
    with at_commit(file.parent, base) as before:
        folder = before / os.path.relpath(declared.flow_at(written), file.parent)
        there = client.flows.register(folder) if folder.exists() else None
    head = _evaluated(client, file, None, env, tell)
    if there is None:
        return _gated(client, head, None, f"there is no flow {written} at {base}: this is the first")
    if there.digest == head.flow_digest:
        return _gated(client, head, None, f"the flow is that of {base}: nothing is compared", is_new=False)
    return _gated(client, head, _evaluated(client, file, there.ref, env, tell))


def candidate(client: Client, file: Path, endpoint: str, *, env: str | None, tell: Tell) -> Check:
    """The flow in the working tree beside what an endpoint serves, on the platform that serves it."""
    stable = client.endpoints.get(endpoint).stable
    head = _evaluated(client, file, None, env, tell)
    if stable is None:
        return _gated(client, head, None, f"{endpoint} serves nothing yet: this would be its first release")
    if stable.serves_digest == head.flow_digest:
        return _gated(client, head, None, f"{endpoint} serves this flow already: nothing is compared", is_new=False)
    beside = _earlier(client, stable.evaluation, head) or _evaluated(client, file, stable.serves, env, tell)
    return _gated(client, head, beside)


def served(client: Client, file: Path, endpoint: str, *, env: str | None, tell: Tell) -> Check:
    """What an endpoint serves, evaluated again, beside the evaluation that let it in, where the rows are the same.

    Raises: NothingServed.
    """
    stable = client.endpoints.get(endpoint).stable
    if stable is None:
        raise NothingServed(endpoint=endpoint)
    run = _evaluated(client, file, stable.serves, env, tell)
    earlier = _earlier(client, stable.evaluation, run)
    note = "" if earlier is not None else "the evaluation that let it in was on other rows: nothing is compared"
    return _gated(client, run, earlier, note)


def prepare(client: Client, project: Project, tell: Tell) -> None:
    """Put a project's collections and datasets on the platform."""
    wanted = plan.make(client, project)
    steps = tuple(step for step in wanted.steps if step.noun != "endpoint")
    for outcome in applying.perform(client, project, replace(wanted, steps=steps), tell=tell):
        tell(str(outcome), 0, 0)


def _evaluated(client: Client, file: Path, flow: str | None, env: str | None, tell: Tell) -> Run:
    """Raises: Failed when the run did."""
    run = experiments.run(
        client,
        file,
        flow=flow,
        env=env,
        variants="defaults",
        tell=lambda at: tell(f"evaluating {at.flow}", at.done, at.total),
    )
    if run.status is not RunStatus.DONE:
        raise Failed(f"evaluation {run.id} of {run.flow} failed: {run.error}")
    return run


def _earlier(client: Client, run: str | None, beside: Run) -> Run | None:
    """An evaluation made before, when it is of the same rows."""
    if run is None:
        return None
    found = client.evaluations.get(run)
    same = [each.digest for each in found.datasets] == [each.digest for each in beside.datasets]
    return found if same and found.status is RunStatus.DONE else None


def _gated(client: Client, head: Run, baseline: Run | None, note: str = "", *, is_new: bool = True) -> Check:
    try:
        gate = client.evaluations.gate(head.id, baseline=baseline.id if baseline is not None else None)
    except ServerProblem as error:
        if error.problem != "no-gate":
            raise
        return Check(head, baseline, None, "the experiment declares no gate: nothing is decided", is_new)
    return Check(head, baseline, gate, note, is_new)
