"""From stored runs to rows that can be run: flows or models loaded, datasets read, measures and graders bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.datasets import service as datasets
from opsloop.evaluation import service, subjects
from opsloop.evaluation.bindings import Measure
from opsloop.evaluation.declared_variants import chosen_in
from opsloop.evaluation.fitting import fitted
from opsloop.evaluation.grading import Grader, by_number
from opsloop.evaluation.loading import Opened, connections_of, opened
from opsloop.evaluation.models import Experiment, ExperimentDataset, ExperimentEvaluator, Run
from opsloop.evaluation.predicting import DEFAULT_COVERAGE, OpenedModel
from opsloop.evaluation.running import Part, RunOfRows
from opsloop.evaluation.scoring import Kind
from opsloop.flows import versions as flows
from opsloop.flows.models import FlowVersion

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run, ready to go; `kinds` say what its metrics are where they are known before."""

    run: Run
    opened: Opened | OpenedModel
    parts: Sequence[Part]
    kinds: Mapping[str, Kind]

    @property
    def flows(self) -> list[Opened]:
        target = [self.opened] if isinstance(self.opened, Opened) else []
        return [*target, *(each.opened for part in self.parts for each in part.graders)]

    def rows(self, experiment: Experiment) -> RunOfRows:
        asked = [rule.metric for rule in experiment.gate.rules] if experiment.gate is not None else []
        if experiment.variants is not None and experiment.variants.metric is not None:
            asked.append(experiment.variants.metric)
        return RunOfRows(self.opened, self.parts, experiment.repeats, asked)


def prepared(workspace: Workspace, uow: UnitOfWork, experiment: Experiment, runs: Sequence[Run]) -> list[Prepared]:
    """The runs of a study, which have all but the variant in common.

    Raises: FlowInvalid, ConnectionInvalid, ExperimentInvalid.
    """
    connections = connections_of(experiment)
    tables = _Tables(uow, experiment, runs[0])
    graders = {
        place: opened(workspace, flows.get(uow, use.flow), connections=connections, init=use.init)
        for place, use in enumerate(experiment.evaluators)
        if use.flow is not None
    }
    found = []
    for run in runs:
        target = _target(workspace, uow, experiment, run, connections)
        parts = [
            _part(uow, experiment, target, graders, tables, place, journals_of(workspace, run.id, place))
            for place in range(len(run.datasets))
        ]
        kinds = {
            each.metric: Kind(each.evaluator.higher_is_better, each.evaluator.unit)
            for part in parts
            for each in part.measures
        }
        found.append(Prepared(run, target, parts, kinds))
    return found


def _target(
    workspace: Workspace, uow: UnitOfWork, experiment: Experiment, run: Run, connections: Mapping[str, Any]
) -> Opened | OpenedModel:
    version = subjects.named(uow, run.flow)
    if isinstance(version, FlowVersion):
        return opened(
            workspace, version, connections=connections, init=experiment.init, variants=chosen_in(run.variant)
        )
    from opsloop.models import runtime  # ONNX Runtime, an extra

    coverage = experiment.target.coverage if experiment.target is not None else None
    flow = subjects.flow_of(version.name, version.signature)
    return OpenedModel(runtime.load(workspace, version.digest), flow, coverage or DEFAULT_COVERAGE)


def journals_of(workspace: Workspace, run_id: str, place: int) -> Path:
    """What the files are called in which the finished rows of one dataset are kept, without what comes after."""
    return workspace.data_dir / "journals" / f"{run_id}-{place}"


class _Tables:
    """The rows of the datasets of an experiment, each read once."""

    def __init__(self, uow: UnitOfWork, experiment: Experiment, run: Run) -> None:
        self._uow = uow
        self._read: dict[str, Rows] = {}
        self.used = {each.name: used.ref for each, used in zip(experiment.datasets, run.datasets, strict=True)}

    def of(self, ref: str) -> Rows:
        if ref not in self._read:
            self._read[ref] = list(datasets.rows(self._uow, datasets.get(self._uow, ref)))
        return self._read[ref]

    def joined(self, use: ExperimentEvaluator, dataset: ExperimentDataset) -> Mapping[int, Mapping[str, Any]] | None:
        """The rows that an evaluator reads instead of the dataset's own."""
        other = use.joined.get(dataset.name)
        return None if other is None else by_number(self.of(other.ref))


def _part(
    uow: UnitOfWork,
    experiment: Experiment,
    target: Opened | OpenedModel,
    graders: Mapping[int, Opened],
    tables: _Tables,
    place: int,
    journals: Path,
) -> Part:
    flow = target.flow if isinstance(target, OpenedModel) else target.flow.flow
    label = target.model.signature.output.name if isinstance(target, OpenedModel) else None
    declared, ref = experiment.datasets[place], tables.used[experiment.datasets[place].name]
    measures = [
        replace(each, joined=tables.joined(use, declared))
        for use, each in service.measures_of(uow, experiment, flow, datasets.get(uow, ref), declared.name, label=label)
    ]
    return Part(
        ref=ref,
        rows=tables.of(ref),
        mapping=fitted(flow, declared.mappings, "mappings").mapping,
        measures=measures,
        graders=[
            _grader(use, graders[number], declared, tables)
            for number, use in enumerate(experiment.evaluators)
            if number in graders and service.is_for(use, declared.name)
        ],
        journals=_kept(measures, journals),
    )


def _grader(use: ExperimentEvaluator, flow: Opened, dataset: ExperimentDataset, tables: _Tables) -> Grader:
    wanted = service.mappings_of(use, dataset.name)
    joined = use.joined.get(dataset.name)
    return Grader(
        use=use,
        opened=flow,
        mapping=fitted(flow.flow.flow, wanted, "mappings").mapping,
        joined=tables.joined(use, dataset),
        beside=joined.ref if joined is not None else "",
    )


def _kept(measures: Sequence[Measure], journals: Path) -> Path | None:
    """A journal keeps outputs, not what nodes gave: where a measure reads that, a killed run starts its rows again."""
    return None if any(each.needs_traces for each in measures) else journals
