"""Start evaluations, look how far they are and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.models import Job
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import service as datasets
from opsloop.datasets.models import DatasetVersion
from opsloop.evaluation import experiment as experiments
from opsloop.evaluation import results
from opsloop.evaluation._tables import GateReportRow, RunRow
from opsloop.evaluation.asked import check_is_taken_at_once, is_of
from opsloop.evaluation.bindings import Measure, measure, reads_truth
from opsloop.evaluation.declared_variants import names_of
from opsloop.evaluation.errors import ExperimentInvalid, RunMissing
from opsloop.evaluation.events import EvaluationFinished
from opsloop.evaluation.fitting import check_references, fitted
from opsloop.evaluation.gate_declaration import check_columns
from opsloop.evaluation.judges import service as judges
from opsloop.evaluation.models import (
    Experiment,
    ExperimentEvaluator,
    GateReport,
    MetricSummary,
    RowRecord,
    Run,
    RunDataset,
    RunId,
    RunStatus,
)
from opsloop.evaluation.rules import Rule
from opsloop.evaluation.scoring import COMPLETED
from opsloop.evaluation.subjects import Subject, check_columns_feed, subject_of, with_label
from opsloop.evaluation.verdicts import Decision, Verdict
from opsloop.flows import versions as flows
from opsloop.flows.models import Flow, FlowVersion
from opsloop.models.models import ModelVersion

KIND = "evaluation.run"


def start(uow: UnitOfWork, declared: Mapping[str, Any], version: FlowVersion | ModelVersion) -> Run:
    """Start an evaluation as a durable job; the first of its runs where variants make several, which share `study`.

    Args:
        declared: the experiment, as in `experiment.yaml`.
        version: of the flow or the model that is evaluated.
    Raises: ExperimentInvalid, DatasetMissing; whatever can be known to be wrong before a row runs is said here.
    """
    uow.by.require(Role.DEVELOPER)
    if b"\\u0000" in msgspec.json.encode(declared):
        raise ExperimentInvalid("experiment", "text without zero characters, which cannot be stored")
    declared = judges.frozen(uow, declared)
    experiment = experiments.parse(declared)
    subject = subject_of(uow, version)
    checked = _checked(uow, experiment, subject)
    run_ids = [uow.ids.new("run") for _ in checked.variants]
    job = jobs.enqueue(uow, KIND, {"run": run_ids[0]} if len(run_ids) == 1 else {"runs": run_ids})
    study = uow.ids.new("study") if len(run_ids) > 1 else None
    for run_id, variant in zip(run_ids, checked.variants, strict=True):
        uow.session.add(_queued(uow, run_id, experiment, declared, subject, checked, job.id, variant, study))
        uow.audit("evaluation.started", f"evaluation/{run_id}", experiment=experiment.name, flow=subject.ref)
    uow.session.flush()
    return get(uow, run_ids[0])


def _queued(
    uow: UnitOfWork,
    run_id: str,
    experiment: Experiment,
    declared: Mapping[str, Any],
    subject: Subject,
    checked: _Checked,
    job: str,
    variant: str,
    study: str | None,
) -> RunRow:
    return RunRow(
        id=run_id,
        experiment=experiment.name,
        declared=dict(declared),
        flow=subject.ref,
        flow_digest=subject.digest,
        datasets=[asdict(each) for each in checked.datasets],
        status=RunStatus.QUEUED,
        metrics={},
        rows=sum(each.rows for each in checked.datasets) * experiment.repeats,
        failed_rows=0,
        results=None,
        verdict=None,
        error=None,
        job=job,
        created_at=uow.clock.now(),
        created_by=uow.by.name,
        finished_at=None,
        variant=variant,
        study=study,
        warnings=checked.warnings,
    )


def get(uow: UnitOfWork, run_id: str) -> Run:
    """Raises: RunMissing."""
    uow.by.require(Role.VIEWER)
    return _run(uow, row_of(uow, run_id))


def listed(
    uow: UnitOfWork,
    *,
    flow: str | None = None,
    experiment: str | None = None,
    study: str | None = None,
    limit: int = 100,
) -> list[Run]:
    """The newest runs first; `flow` is a flow's name, or a version such as `answer@2` or `model:iris@3`."""
    uow.by.require(Role.VIEWER)
    query = select(RunRow).order_by(RunRow.created_at.desc(), RunRow.id.desc()).limit(min(limit, 1_000))
    if flow is not None:
        query = query.where(RunRow.flow == flow if "@" in flow else RunRow.flow.startswith(f"{flow}@", autoescape=True))
    if experiment is not None:
        query = query.where(RunRow.experiment == experiment)
    if study is not None:
        query = query.where(RunRow.study == study)
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
        notes=tuple(row.notes or ()),
    )


def measures_of(
    uow: UnitOfWork,
    experiment: Experiment,
    flow: Flow,
    version: DatasetVersion,
    dataset: str,
    *,
    label: str | None = None,
) -> list[tuple[ExperimentEvaluator, Measure]]:
    """What to measure on the rows of one dataset, which the experiment calls `dataset`; without evaluation flows.

    Args:
        label: the column that a model is to predict.
    Raises: ExperimentInvalid, DatasetMissing.
    """
    found = []
    for place, use in enumerate(experiment.evaluators):
        if use.flow is None and is_for(use, dataset):
            columns = _columns(uow, use, version, dataset)
            told = with_label(use, label, columns) if reads_truth(use, field=f"evaluators[{place}]") else use
            found.append((use, measure(told, flow, columns, dataset, field=f"evaluators[{place}]")))
    return found


def is_for(use: ExperimentEvaluator, dataset: str) -> bool:
    """Whether an evaluator measures the rows of this dataset of the experiment."""
    return not use.datasets or dataset in use.datasets


def mappings_of(use: ExperimentEvaluator, dataset: str) -> dict[str, Any]:
    """What feeds an evaluator on the rows of a dataset."""
    return {**use.mappings, **use.datasets.get(dataset, {})}


def end_badly(uow: UnitOfWork, run_id: str, reason: str) -> None:
    """Keep that a run came to nothing, and tell of it; nothing when it is over."""
    row = row_of(uow, run_id)
    if RunStatus(row.status).is_final:
        return
    row.status, row.error, row.finished_at = RunStatus.FAILED, reason, uow.clock.now()
    uow.emit(EvaluationFinished(run_id, row.experiment, row.flow, RunStatus.FAILED.value))


def runs_of_job(payload: Mapping[str, Any]) -> list[str]:
    """A job evaluates one run, or the runs of a study, which go side by side."""
    found: list[str] = payload.get("runs") or [payload["run"]]
    return found


def row_of(uow: UnitOfWork, run_id: str) -> RunRow:
    """The stored run. Raises: RunMissing."""
    # PostgreSQL cannot even be asked for a text that holds a zero byte.
    row = uow.session.get(RunRow, run_id) if "\0" not in run_id else None
    if row is None:
        raise RunMissing(noun="evaluation", name=run_id)
    return row


@dataclass(frozen=True, slots=True)
class _Checked:
    """What an experiment was found to be: the dataset versions, what to tell of it, the runs it makes by variant."""

    datasets: list[RunDataset]
    warnings: list[str]
    variants: list[str]


def _checked(uow: UnitOfWork, experiment: Experiment, subject: Subject) -> _Checked:
    """See that everything an experiment names is there."""
    flow = subject.flow
    if subject.is_model and experiment.variants is not None:
        raise ExperimentInvalid("variants", "a flow: a model has no nodes, and so no variants of them")
    used: list[RunDataset] = []
    warnings: list[str] = []
    columns: list[str] = []
    for place, dataset in enumerate(experiment.datasets):
        version = datasets.get(uow, dataset.ref)
        if version.ref in [each.ref for each in used]:
            raise ExperimentInvalid(f"datasets[{place}].name", "versions that differ", value=dataset.name)
        fit = fitted(flow, dataset.mappings, f"datasets[{place}].mappings")
        warnings += fit.warnings
        if subject.is_model:
            check_columns_feed(subject, fit.mapping, version, f"datasets[{place}].mappings")
        measured = measures_of(uow, experiment, flow, version, dataset.name, label=subject.label)
        if experiment.variants is not None:
            check_is_taken_at_once(experiment.variants.metric, [each for _, each in measured])
        warnings += _check_graders(uow, experiment, flow, version, dataset.name)
        used.append(RunDataset(version.ref, version.digest, version.rows))
        columns += [column.name for column in version.schema]
    check_columns(experiment.gate, columns)
    _check_rules(experiment)
    return _Checked(used, list(dict.fromkeys(warnings)), names_of(experiment.variants, flow))


def _check_graders(
    uow: UnitOfWork, experiment: Experiment, flow: Flow, version: DatasetVersion, dataset: str
) -> list[str]:
    """See that evaluation flows are there and can be fed; what to tell of them."""
    warnings: list[str] = []
    for place, use in enumerate(experiment.evaluators):
        if use.flow is None or not is_for(use, dataset):
            continue
        field = f"evaluators[{place}].mappings"
        grader = flows.read(uow.workspace, flows.get(uow, use.flow))
        found = fitted(grader, mappings_of(use, dataset), field)
        check_references(found.mapping, _columns(uow, use, version, dataset), flow, field)
        warnings += found.warnings
    return warnings


def _columns(uow: UnitOfWork, use: ExperimentEvaluator, version: DatasetVersion, dataset: str) -> list[str]:
    """Columns of the dataset that an evaluator reads."""
    joined = use.joined.get(dataset)
    read = version if joined is None else datasets.get(uow, joined.ref)
    return [column.name for column in read.schema]


def _check_rules(experiment: Experiment) -> None:
    """See that rules speak of metrics there are; what is below one has a name that only a run shows."""
    metrics = [COMPLETED, *(evaluator.metric for evaluator in experiment.evaluators)]
    for place, rule in enumerate(experiment.gate.rules if experiment.gate else ()):
        if rule.metric not in metrics and not any(is_of(rule.metric, metric) for metric in metrics[1:]):
            field = f"gate.rules[{place}].metric"
            raise ExperimentInvalid(field, f"one of {', '.join(metrics)}", known=metrics, value=rule.metric)


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
        done=row.rows if status is RunStatus.DONE else _rows_done(job, row),
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


def _rows_done(job: Job | None, row: RunRow) -> int:
    """How many rows a run has done that goes on; of a study its part, since its runs go side by side."""
    if job is None or not job.total:
        return 0
    return job.done if row.study is None else row.rows * job.done // job.total
