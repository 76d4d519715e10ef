"""Make the platform what a project wants: take the steps of a plan, through the client alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from opsloop.client import collections, experiment_files, experiments, model_endpoints, pipelines, preparing
from opsloop.client.collections import counted
from opsloop.client.http import Client
from opsloop.client.plan import Action, Plan, Step, is_held_out
from opsloop.client.project import DatasetWanted, EndpointWanted, PreparationWanted, Project
from opsloop.client.project_collections import CollectionWanted
from opsloop.client.project_limits import LimitWanted
from opsloop.client.project_models import ModelEndpointWanted
from opsloop.client.project_pipelines import PipelineWanted
from opsloop.evaluation.models import GateReport, Run, RunStatus
from opsloop.evaluation.verdicts import Verdict
from opsloop.limits.declared import in_words
from opsloop.releases.models import Released
from opsloop.training.figures import listed

# What is being done, how much of it, of how much.
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one step. `gate` is the verdict on an endpoint's flow; when it is no pass nothing was released.

    `is_refused`: a model was not let to traffic.
    """

    step: Step
    says: str
    run: Run | None = None
    gate: GateReport | None = None
    released: Released | None = None
    is_refused: bool = False

    @property
    def is_blocked(self) -> bool:
        return self.is_refused or (self.run is not None and self.released is None)

    def __str__(self) -> str:
        return f"{'✕' if self.is_blocked else '✓'} {self.step.noun} {self.step.name}: {self.says}"


def perform(
    client: Client, project: Project, plan: Plan, *, tell: Tell = lambda what, done, total: None
) -> Iterator[Outcome]:
    """Take the steps that change something, in order; each outcome as soon as it is there.

    A flow that its gate does not let in is an outcome, not an error: the other steps are taken all the same.
    """
    _announce(client, project, plan)
    for step in plan.changes:
        tell(f"{step.noun} {step.name}", 0, 0)
        if step.noun == "collection":
            yield _collection(client, project.collections[step.name], step, tell)
        elif step.noun == "dataset":
            yield _dataset(client, project.datasets[step.name], step, tell)
        elif step.noun == "preparation":
            yield _preparation(client, project.preparations[step.name], step, tell)
        elif step.noun == "pipeline":
            yield _pipeline(client, project.pipelines[step.name], step, tell)
        elif step.noun == "guardrails":
            yield _guardrails(client, project.endpoints[step.name], step)
        elif step.noun == "rule":
            client.alerts.declare_rule(step.name, project.rules[step.name])
            yield Outcome(step, step.says)
        elif step.noun == "channel":
            client.alerts.declare_channel(step.name, project.channels[step.name])
            yield Outcome(step, step.says)
        elif step.noun == "objectives":
            declared = client.objectives.declare(step.name, project.objectives[step.name])
            yield Outcome(step, f"{counted(len(declared), 'objective')} in all")
        elif step.noun == "environment":
            client.endpoints.set_environment(step.name, project.environments[step.name])
            yield Outcome(step, step.says)
        elif step.noun == "texts":
            client.endpoints.keep_texts(step.name, project.endpoints[step.name].keep_texts)
            yield Outcome(step, step.says)
        elif step.noun == "scoring":
            client.endpoints.score(step.name, project.endpoints[step.name].scoring or {})
            yield Outcome(step, step.says)
        elif step.noun == "survey":
            client.surveys.declare(step.name, project.surveys[step.name])
            yield Outcome(step, step.says)
        elif step.noun == "limit":
            yield _limit(client, project.limits[step.name], step)
        elif step.name in project.model_endpoints:
            yield _model_endpoint(client, project.model_endpoints[step.name], step, tell)
        else:
            yield _endpoint(client, project, project.endpoints[step.name], step, tell)


def _announce(client: Client, project: Project, plan: Plan) -> None:
    """Make the endpoints of models first, so that who asks them while the first version trains is told of it."""
    for step in plan.changes:
        if step.action is Action.CREATE and step.noun == "endpoint" and step.name in project.model_endpoints:
            client.endpoints.create(step.name)


def _guardrails(client: Client, wanted: EndpointWanted, step: Step) -> Outcome:
    """Before anything is released: a new endpoint is made here."""
    if step.action is Action.CREATE:
        client.endpoints.create(wanted.name)
    put = client.guardrails.put(wanted.name, wanted.guardrails or {})
    return Outcome(step, f"version {put.version}")


def _collection(client: Client, wanted: CollectionWanted, step: Step, tell: Tell) -> Outcome:
    return Outcome(step, collections.bring(client, wanted, tell=partial(tell, f"re-indexing {wanted.name}")))


def _limit(client: Client, wanted: LimitWanted, step: Step) -> Outcome:
    state = client.limits.put(wanted.scope, wanted.name, wanted.limit)
    return Outcome(step, in_words(state.limit))


def _preparation(client: Client, wanted: PreparationWanted, step: Step, tell: Tell) -> Outcome:
    preparing.put(client, wanted)
    run = preparing.run(client, wanted.name, tell=lambda run: tell(f"preparing {wanted.name}", run.done, run.total))
    made = ", ".join(f"{each.ref} has {counted(each.rows, 'row')}" for each in run.versions)
    return Outcome(step, made)


def _pipeline(client: Client, wanted: PipelineWanted, step: Step, tell: Tell) -> Outcome:
    pipelines.put(client, wanted)
    run = pipelines.run(
        client,
        wanted.name,
        reason="opsloop apply",
        tell=lambda run: tell(f"training {wanted.name}", run.done, run.total),
    )
    figures = listed(run.metrics, 3)
    return Outcome(step, f"{run.model} of {run.data}: {figures}" if figures else f"{run.model} stands: {run.error}")


def _dataset(client: Client, wanted: DatasetWanted, step: Step, tell: Tell) -> Outcome:
    if (wanted.expectations, wanted.on_broken, wanted.pii) != (None, None, None):
        client.dataset_checks.change_policy(
            wanted.name, expectations=wanted.expectations, on_broken=wanted.on_broken, pii=wanted.pii
        )
    if wanted.elsewhere is None:
        version = client.datasets.register(wanted.name, wanted.source, tags=wanted.tags)
    else:
        _, version = preparing.import_from(
            client,
            wanted.name,
            wanted.elsewhere,
            tags=wanted.tags,
            tell=lambda run: tell(f"registering {wanted.name}", run.done, run.total),
        )
    if wanted.holdout is not None and not is_held_out(client, wanted):
        choice = wanted.holdout
        version = client.dataset_checks.freeze(version.ref, choice.share, seed=choice.seed, by=choice.by)
    found = [str(version.pii)] if version.pii is not None and version.pii.found else []
    found += [str(version.expectations)] if version.expectations is not None else []
    return Outcome(step, "; ".join([f"{version.ref} has {counted(version.rows, 'row')}", *found]))


def _model_endpoint(client: Client, wanted: ModelEndpointWanted, step: Step, tell: Tell) -> Outcome:
    made = model_endpoints.make_so(client, wanted, tell=tell)
    return Outcome(step, made.says, is_refused=made.is_blocked)


def _endpoint(client: Client, project: Project, wanted: EndpointWanted, step: Step, tell: Tell) -> Outcome:
    if step.action is Action.CREATE and wanted.guardrails is None:
        client.endpoints.create(wanted.name)
    flow = client.flows.register(wanted.flow).ref
    if wanted.experiment is None:
        return _released(client, wanted, step, flow)
    file = project.experiments[wanted.experiment]
    run = experiments.run(
        client,
        file,
        flow=flow,
        variants="defaults",  # as it will be served
        tell=lambda run: tell(f"evaluating {wanted.name}", run.done, run.total),
    )
    if run.status is not RunStatus.DONE:
        return Outcome(step, f"evaluation {run.id} failed: {run.error}", run)
    if experiment_files.read(file).experiment.gate is None:
        return _released(client, wanted, step, flow, run)
    gate = _verdict(client, wanted, file, run)
    if gate.verdict is not Verdict.PASS:
        return Outcome(step, f"{flow} is not released. {gate.sentence}", run, gate)
    return _released(client, wanted, step, flow, run, gate)


def _verdict(client: Client, wanted: EndpointWanted, file: Path, run: Run) -> GateReport:
    stable = client.endpoints.get(wanted.name).stable
    return experiments.judge(
        client,
        file,
        run,
        stable_run=stable.evaluation if stable is not None else None,
        stable_flow=stable.serves if stable is not None else None,
    )


def _released(
    client: Client,
    wanted: EndpointWanted,
    step: Step,
    flow: str,
    run: Run | None = None,
    gate: GateReport | None = None,
) -> Outcome:
    released = client.endpoints.release(
        wanted.name,
        flow=flow,
        config=wanted.config,
        evaluation=run.id if run is not None and gate is not None else None,
        strategy=wanted.strategy,
    )
    said = f"{gate.sentence} " if gate is not None else ""
    status = released.rollout.status.replace("_", " ")
    return Outcome(step, f"{said}Release {released.release.number} ({flow}) is {status}", run, gate, released)
