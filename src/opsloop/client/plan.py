"""What would have to change for the platform to be what `opsloop.yaml` wants: found by looking, nothing is changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from pathlib import Path
from typing import Any

from opsloop.client import (
    collections,
    experiment_files,
    guardrail_changes,
    model_endpoints,
    pins,
    pipelines,
    preparing,
)
from opsloop.client.collections import counted
from opsloop.client.flows import digest_of
from opsloop.client.http import Client
from opsloop.client.project import DatasetWanted, EndpointWanted, PreparationWanted, Project
from opsloop.client.project_collections import CollectionWanted
from opsloop.client.project_limits import LimitWanted
from opsloop.client.project_models import ModelEndpointWanted
from opsloop.client.project_pipelines import PipelineWanted
from opsloop.core.errors import NotFound
from opsloop.datasets.formats import registry as formats
from opsloop.datasets.models import DatasetVersion
from opsloop.datasets.preparation.models import PreparationStatus
from opsloop.feedback.surveys import declaration
from opsloop.limits.declared import in_words
from opsloop.releases import kept_texts
from opsloop.releases.models import EndpointState, Release
from opsloop.training.models import TrainingStatus


class Action(StrEnum):
    CREATE = "create"
    CHANGE = "change"
    KEEP = "keep"


MARKS = {Action.CREATE: "+", Action.CHANGE: "~", Action.KEEP: "="}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing of the project and what is to be done about it; `says` tells why."""

    noun: str
    name: str
    action: Action
    says: str

    def __str__(self) -> str:
        return f"{MARKS[self.action]} {self.noun} {self.name}: {self.says}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order in which they are taken."""

    project: str
    steps: tuple[Step, ...]

    @property
    def changes(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.action is not Action.KEEP)

    def __str__(self) -> str:
        lines = [str(step) for step in self.steps]
        count = len(self.changes)
        return "\n".join([*lines, f"{count} of {len(lines)} to change" if count else "nothing to do"])


def make(client: Client, project: Project) -> Plan:
    """Compare what a project wants with what the platform has.

    Raises: what is wrong in the project's files: InvalidInput, ExperimentFileInvalid, FlowInvalid, FileBroken.
    """
    for file in project.experiments.values():
        experiment_files.read(file)
    steps = [
        *(_collection(client, wanted) for wanted in project.collections.values()),
        *(_dataset(client, wanted) for wanted in project.datasets.values()),
        *(_preparation(client, wanted) for wanted in project.preparations.values()),
        *(_pipeline(client, wanted) for wanted in project.pipelines.values()),
        *(_guardrails(client, wanted) for wanted in project.endpoints.values() if wanted.guardrails is not None),
        *(_endpoint(client, wanted) for wanted in project.endpoints.values()),
        *(_model_endpoint(client, wanted) for wanted in project.model_endpoints.values()),
        *_rules(client, project.rules),
        *(_channel(client, name, wanted) for name, wanted in project.channels.items()),
        *(_objectives(client, name, wanted) for name, wanted in project.objectives.items()),
        *(_environment(client, name, wanted) for name, wanted in project.environments.items()),
        *(_texts(client, wanted) for wanted in project.endpoints.values() if wanted.keep_texts is not None),
        *(_scoring(client, wanted) for wanted in project.endpoints.values() if wanted.scoring is not None),
        *(_survey(client, name, wanted) for name, wanted in project.surveys.items()),
        *_limits(client, project.limits.values()),
    ]
    return Plan(project.name, tuple(steps))


def _limits(client: Client, wanted: Collection[LimitWanted]) -> list[Step]:
    there = {(each.scope, each.name): each.limit for each in client.limits.listed()} if wanted else {}
    steps = []
    for each in wanted:
        found = there.get((each.scope, each.name))
        action = Action.CREATE if found is None else Action.KEEP if found == each.limit else Action.CHANGE
        steps.append(Step("limit", each.title, action, in_words(each.limit)))
    return steps


def _collection(client: Client, wanted: CollectionWanted) -> Step:
    found = collections.difference(client, wanted)
    action = (Action.CHANGE if found.is_there else Action.CREATE) if found.differs else Action.KEEP
    return Step("collection", wanted.name, action, found.says)


def _dataset(client: Client, wanted: DatasetWanted) -> Step:
    try:
        current = client.datasets.get(wanted.name)
    except NotFound:
        return Step("dataset", wanted.name, Action.CREATE, f"rows of {_place_of(wanted)}")
    if wanted.elsewhere is not None:
        source, is_new = client.preparations.is_new(wanted.name, wanted.elsewhere, tags=wanted.tags)
        if is_new:
            return Step("dataset", wanted.name, Action.CHANGE, f"{source} was not registered yet")
    elif not _same_rows(client, current, wanted.source):
        return Step("dataset", wanted.name, Action.CHANGE, f"{wanted.source.name} differs from {current.ref}")
    if undeclared := _undeclared(client, wanted):
        return Step("dataset", wanted.name, Action.CHANGE, f"{current.ref} gets other {undeclared}")
    if untagged := sorted(set(wanted.tags) - set(current.tags)):
        return Step("dataset", wanted.name, Action.CHANGE, f"{current.ref} gets the tags {', '.join(untagged)}")
    return Step("dataset", wanted.name, Action.KEEP, f"{current.ref} has {counted(current.rows, 'row')}, the same")


def _place_of(wanted: DatasetWanted) -> str:
    if wanted.elsewhere is None:
        return wanted.source.name
    from opsloop.datasets.preparation import declaration as preparations

    return preparations.source_of("source", wanted.elsewhere).bare


def _preparation(client: Client, wanted: PreparationWanted) -> Step:
    declared = preparing.ready(client, wanted).declared
    schedule = declared.get("schedule")
    when = f"runs at {schedule} UTC" if schedule is not None else "runs on demand"
    try:
        there = client.preparations.get(wanted.name)
    except NotFound:
        return Step("preparation", wanted.name, Action.CREATE, f"{when}, and now")
    if there.declared != declared:
        return Step("preparation", wanted.name, Action.CHANGE, f"it was changed; {when}, and now")
    last = client.preparations.runs(wanted.name, limit=1)
    if not last or last[0].status is PreparationStatus.FAILED:
        return Step("preparation", wanted.name, Action.CHANGE, "it did not run to its end yet")
    return Step("preparation", wanted.name, Action.KEEP, when)


def _pipeline(client: Client, wanted: PipelineWanted) -> Step:
    try:
        there = client.training.pipeline(wanted.name)
    except NotFound:
        return Step("pipeline", wanted.name, Action.CREATE, "is trained now")
    when = f"trains at {there.schedule} UTC" if there.schedule is not None else "trains on demand"
    if (there.declared, there.code) != (wanted.declared, pipelines.digest_of(wanted)):
        return Step("pipeline", wanted.name, Action.CHANGE, "it was changed, and is trained again")
    good = (TrainingStatus.DONE, TrainingStatus.SKIPPED)
    if not any(each.status in good for each in client.training.runs(wanted.name, limit=20)):
        return Step("pipeline", wanted.name, Action.CHANGE, "it did not run to its end yet")
    return Step("pipeline", wanted.name, Action.KEEP, when)


def _environment(client: Client, endpoint: str, wanted: str | None) -> Step:
    try:
        there = client.endpoints.get(endpoint).endpoint.environment
    except NotFound:
        there = None
    says = f"is of {wanted}" if wanted is not None else "is of the platform's environment"
    return Step("environment", endpoint, Action.KEEP if there == wanted else Action.CHANGE, says)


def _texts(client: Client, wanted: EndpointWanted) -> Step:
    keeps = kept_texts.parse(wanted.keep_texts)
    says = "keeps no questions and answers"
    if keeps is not None:
        share = "all requests" if keeps.share == 1 else f"{keeps.share:.3g} of requests"
        says = f"keeps questions and answers of {share} for {keeps.days:g} days"
        says += "" if keeps.redact else ", as they are"
    try:
        there = client.endpoints.get(wanted.name).endpoint.keep_texts
    except NotFound:
        there = None
    action = Action.KEEP if there == kept_texts.stored(keeps) else Action.CHANGE
    return Step("texts", wanted.name, action, says)


def _scoring(client: Client, wanted: EndpointWanted) -> Step:
    assert wanted.scoring is not None
    says = f"scores live answers by {', '.join(wanted.scoring.get('evaluators') or ()) or 'nothing'}"
    try:
        there = client.endpoints.scoring(wanted.name).declared
    except NotFound:
        return Step("scoring", wanted.name, Action.CREATE, says)
    return Step("scoring", wanted.name, Action.KEEP if there == wanted.scoring else Action.CHANGE, says)


def _survey(client: Client, name: str, wanted: Mapping[str, Any]) -> Step:
    asks = declaration.stored(declaration.parse(wanted))
    says = f"asks {counted(len(asks['questions']), 'question')}"
    try:
        there = client.surveys.get(name)
    except NotFound:
        return Step("survey", name, Action.CREATE, says)
    if there.declared != asks:
        return Step("survey", name, Action.CHANGE, f"{says}; it was changed")
    return Step("survey", name, Action.KEEP, says)


def _undeclared(client: Client, wanted: DatasetWanted) -> str:
    """What is declared of a dataset and not on the platform yet."""
    policy = client.dataset_checks.policy(wanted.name)
    differ = {
        "expectations": wanted.expectations is not None and wanted.expectations != policy.expectations,
        "rules": any(
            mine is not None and mine != theirs
            for mine, theirs in ((wanted.on_broken, policy.on_broken), (wanted.pii, policy.pii))
        ),
        "held out rows": wanted.holdout is not None and not is_held_out(client, wanted),
    }
    return " and ".join(what for what, differs in differ.items() if differs)


def is_held_out(client: Client, wanted: DatasetWanted) -> bool:
    """Whether the rows that are wanted to be held out of a dataset are."""
    held = client.dataset_checks.holdout(wanted.name)
    choice = wanted.holdout
    return choice is not None and held is not None and (held.share, held.seed, held.by) == (
        choice.share, choice.seed, choice.by
    )  # fmt: skip


def _same_rows(client: Client, current: DatasetVersion, source: Path) -> bool:
    rows = formats.read(source.name, source.read_bytes()).rows
    if len(rows) != current.rows:
        return False
    return all(mine == theirs for mine, theirs in zip_longest(rows, client.datasets.rows(current.ref)))


def _model_endpoint(client: Client, wanted: ModelEndpointWanted) -> Step:
    found = model_endpoints.difference(client, wanted)
    action = (Action.CHANGE if found.is_there else Action.CREATE) if found.differs else Action.KEEP
    return Step("endpoint", wanted.name, action, found.says)


def _objectives(client: Client, endpoint: str, wanted: dict[str, Any]) -> Step:
    there = client.objectives.of(endpoint).declared
    if there == wanted:
        return Step("objectives", endpoint, Action.KEEP, f"declares {', '.join(wanted) or 'none'}")
    action = Action.CREATE if there is None else Action.CHANGE
    return Step("objectives", endpoint, action, f"declares {', '.join(wanted) or 'none'}")


def _rules(client: Client, wanted: Mapping[str, Any]) -> Iterator[Step]:
    there = {each.name: each for each in client.alerts.rules()} if wanted else {}
    for name, each in wanted.items():
        says = "is off" if each is False else ", ".join(f"{key} {value}" for key, value in each.items())
        found = there.get(name)
        if found is not None and found.declared == ({"off": True} if each is False else each):
            yield Step("rule", name, Action.KEEP, says)
        else:
            yield Step("rule", name, Action.CREATE if found is None else Action.CHANGE, says)


def _channel(client: Client, name: str, wanted: dict[str, Any]) -> Step:
    from opsloop.monitoring.alerts import channels  # only who declares some needs it

    parsed = channels.parse(name, wanted)
    there = next((each for each in client.alerts.channels() if each.name == name), None)
    if there is None:
        return Step("channel", name, Action.CREATE, f"{parsed.form} to {parsed.to}")
    if there.digest == channels.digest_of(wanted):
        return Step("channel", name, Action.KEEP, f"{there.form} to {there.to}")
    return Step("channel", name, Action.CHANGE, f"{parsed.form} to {parsed.to}")


def _endpoint(client: Client, wanted: EndpointWanted) -> Step:
    digest = digest_of(wanted.flow)
    try:
        state = client.endpoints.get(wanted.name)
    except NotFound:
        return Step("endpoint", wanted.name, Action.CREATE, f"serves flow {wanted.flow.name}")
    stable = state.stable
    if stable is not None and (stable.serves_digest, stable.config) == (digest, wanted.config):
        return Step("endpoint", wanted.name, Action.KEEP, f"serves release {stable.number} ({stable.serves})")
    if _is_wanted(state.stable, wanted, digest):
        assert state.stable is not None
        return Step(
            "endpoint", wanted.name, Action.KEEP, f"serves release {state.stable.number} ({state.stable.serves})"
        )
    releases = client.endpoints.releases(wanted.name)
    newest = max(releases, key=lambda release: release.number, default=None)
    if newest is None:
        return Step("endpoint", wanted.name, Action.CHANGE, f"gets its first release, flow {wanted.flow.name}")
    if _is_wanted(newest, wanted, digest):
        return Step("endpoint", wanted.name, Action.KEEP, _fate(state, newest))
    if pinned := pins.of(releases, lambda release: _is_wanted(release, wanted, digest)):
        return Step("endpoint", wanted.name, Action.KEEP, pinned)
    if newest.serves_digest == digest:
        return Step("endpoint", wanted.name, Action.CHANGE, f"its config differs from release {newest.number}")
    return Step("endpoint", wanted.name, Action.CHANGE, f"flow {wanted.flow.name} differs from {newest.serves}")


def _guardrails(client: Client, wanted: EndpointWanted) -> Step:
    assert wanted.guardrails is not None
    found = guardrail_changes.differences(client, wanted.name, wanted.guardrails)
    if found is None:
        return Step("guardrails", wanted.name, Action.CREATE, "as declared, before anything is released")
    if not found:
        return Step("guardrails", wanted.name, Action.KEEP, "as declared")
    return Step("guardrails", wanted.name, Action.CHANGE, "; ".join(found))


def _is_wanted(release: Release | None, wanted: EndpointWanted, digest: str) -> bool:
    return release is not None and release.serves_digest == digest and release.config == wanted.config


def _fate(state: EndpointState, newest: Release) -> str:
    """What became of the newest release, which is the wanted one and not stable."""
    at = f"release {newest.number} ({newest.serves})"
    rollout = state.rollout
    if rollout is not None and rollout.release == newest.id and not rollout.status.is_over:
        return f"{at} is on its way"
    why = rollout.reason if rollout is not None and rollout.release == newest.id else "another one is stable"
    return f"{at} was taken back: {why}; change the flow, or release it by hand"
