"""Start evaluations, look how far they are and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import msgspec
from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import service as datasets
from opsloop.datasets.models import DatasetVersion
from opsloop.evaluation import experiment as experiments
from opsloop.evaluation import results
from opsloop.evaluation._tables import GateReportRow, RunRow
from opsloop.evaluation.bindings import Measure, measure
from opsloop.evaluation.errors import ExperimentInvalid, RunMissing
from opsloop.evaluation.models import (
    Experiment,
    GateReport,
    MetricSummary,
    RowRecord,
    Run,
    RunDataset,
    RunId,
    RunStatus,
)
from opsloop.evaluation.scoring import COMPLETED
from opsloop.evaluation.verdicts import Decision, Rule, Verdict
from opsloop.flows import versions as flows
from opsloop.flows.mapping import checked_mapping
from opsloop.flows.models import Flow, FlowVersion

KIND = "evaluation.run"


def start(uow: UnitOfWork, declared: Mapping[str, Any], flow_version: FlowVersion) -> Run:
    """Start an evaluation as a durable job.

    Args:
        declared: the experiment, as in `experiment.yaml`.
    Raises: ExperimentInvalid, DatasetMissing; whatever can be known to be wrong before a row runs is said here.
    """
    uow.by.require(Role.DEVELOPER)
    if b"\\u0000" in msgspec.json.encode(declared):
        raise ExperimentInvalid("experiment", "text without zero characters, which cannot be stored")
    experiment = experiments.parse(declared)
    used = _checked(uow, experiment, flow_version)
    run_id = uow.ids.new("run")
    job = jobs.enqueue(uow, KIND, {"run": run_id})
    row = RunRow(
        id=run_id,
        experiment=experiment.name,
        declared=dict(declared),
        flow=flow_version.ref,
        flow_digest=flow_version.digest,
        datasets=[asdict(each) for each in used],
        status=RunStatus.QUEUED,
        metrics={},
        rows=sum(each.rows for each in used) * experiment.repeats,
        failed_rows=0,
        results=None,
        verdict=None,
        error=None,
        job=job.id,
        created_at=uow.clock.now(),
        created_by=uow.by.name,
        finished_at=None,
    )
    uow.session.add(row)
    uow.session.flush()
    uow.audit("evaluation.started", f"evaluation/{run_id}", experiment=experiment.name, flow=flow_version.ref)
    return _run(uow, row)


def get(uow: UnitOfWork, run_id: str) -> Run:
    """Raises: RunMissing."""
    uow.by.require(Role.VIEWER)
    return _run(uow, row_of(uow, run_id))


def listed(uow: UnitOfWork, *, flow: str | None = None, experiment: str | None = None, limit: int = 100) -> list[Run]:
    """The newest runs first; `flow` is a flow's name, or a version such as `answer@2`."""
    uow.by.require(Role.VIEWER)
    query = select(RunRow).order_by(RunRow.created_at.desc(), RunRow.id.desc()).limit(min(limit, 1_000))
    if flow is not None:
        query = query.where(RunRow.flow == flow if "@" in flow else RunRow.flow.startswith(f"{flow}@", autoescape=True))
    if experiment is not None:
        query = query.where(RunRow.experiment == experiment)
    return [_run(uow, row) for row in uow.session.scalars(query)]


def rows(uow: UnitOfWork, run_id: str) -> list[RowRecord]:
    """What became of each row, in the order of the data; empty while the run goes on."""
    uow.by.require(Role.VIEWER)
    key = row_of(uow, run_id).results
    return [] if key is None else results.load(uow.artifacts, key)


def experiment_of(uow: UnitOfWork, run_id: str) -> Experiment:
    """The experiment as it was declared when the run started."""
    uow.by.require(Role.VIEWER)
    return experiments.parse(row_of(uow, run_id).declared)


def gate_report(uow: UnitOfWork, run_id: str) -> GateReport | None:
    """The report of the gate that was checked last on a run."""
    uow.by.require(Role.VIEWER)
    query = select(GateReportRow).where(GateReportRow.run == run_id)
    row = uow.session.scalar(query.order_by(GateReportRow.created_at.desc(), GateReportRow.id.desc()).limit(1))
    if row is None:
        return None
    return GateReport(
        id=row.id,
        run=RunId(row.run),
        baseline=RunId(row.baseline) if row.baseline is not None else None,
        verdict=Verdict(row.verdict),
        sentence=row.sentence,
        alpha=row.alpha,
        decisions=msgspec.convert(row.decisions, tuple[Decision, ...]),
        waiting=msgspec.convert(row.waiting, tuple[Rule, ...]),
        created_at=row.created_at,
        created_by=row.created_by,
    )


def measures_of(experiment: Experiment, flow: Flow, version: DatasetVersion, dataset: str) -> list[Measure]:
    """What to measure on the rows of one dataset, which the experiment calls `dataset`. Raises: ExperimentInvalid."""
    columns = [column.name for column in version.schema]
    return [
        measure(each, flow, columns, dataset, field=f"evaluators[{place}]")
        for place, each in enumerate(experiment.evaluators)
        if not each.datasets or dataset in each.datasets
    ]


def row_of(uow: UnitOfWork, run_id: str) -> RunRow:
    """The stored run. Raises: RunMissing."""
    # PostgreSQL cannot even be asked for a text that holds a zero byte.
    row = uow.session.get(RunRow, run_id) if "\0" not in run_id else None
    if row is None:
        raise RunMissing(noun="evaluation", name=run_id)
    return row


def _checked(uow: UnitOfWork, experiment: Experiment, flow_version: FlowVersion) -> list[RunDataset]:
    """The dataset versions of an experiment, once everything it names is known to be there."""
    flow = flows.read(uow.workspace, flow_version)
    used: list[RunDataset] = []
    for dataset in experiment.datasets:
        version = datasets.get(uow, dataset.name)
        if version.ref in [each.ref for each in used]:
            raise ExperimentInvalid(f"datasets[{len(used)}].name", "versions that differ", value=dataset.name)
        checked_mapping(flow, dataset.mappings)
        measures_of(experiment, flow, version, dataset.name)
        used.append(RunDataset(version.ref, version.digest, version.rows))
    metrics = [COMPLETED, *(evaluator.metric for evaluator in experiment.evaluators)]
    for place, rule in enumerate(experiment.gate.rules if experiment.gate else ()):
        if rule.metric not in metrics:
            field = f"gate.rules[{place}].metric"
            raise ExperimentInvalid(field, f"one of {', '.join(metrics)}", known=metrics, value=rule.metric)
    return used


def _run(uow: UnitOfWork, row: RunRow) -> Run:
    status = RunStatus(row.status)
    job = jobs.get(uow, row.job) if not status.is_final else None
    return Run(
        id=RunId(row.id),
        experiment=row.experiment,
        flow=row.flow,
        flow_digest=row.flow_digest,
        datasets=tuple(RunDataset(**each) for each in row.datasets),
        status=status,
        metrics=msgspec.convert(row.metrics, dict[str, MetricSummary]),
        rows=row.rows,
        failed_rows=row.failed_rows,
        done=row.rows if status is RunStatus.DONE else (job.done if job else 0),
        total=row.rows,
        verdict=Verdict(row.verdict) if row.verdict is not None else None,
        error=row.error,
        job=row.job,
        created_at=row.created_at,
        created_by=row.created_by,
        finished_at=row.finished_at,
        variant=row.variant,
        study=row.study,
        aggregates=row.aggregates or {},
        cut=row.cut,
        warnings=tuple(row.warnings or ()),
        cost_usd=row.cost_usd,
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
    )
