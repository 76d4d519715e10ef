"""The evaluation as a durable job: rows through the flow, evaluators over the rows, one transaction at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from opsloop.core.caller import system
from opsloop.core.context import current_workspace
from opsloop.core.errors import OpsloopError
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.models import JobStatus
from opsloop.core.jobs.registry import Again, JobContext, job
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.datasets import lineage
from opsloop.datasets import service as datasets
from opsloop.evaluation import results, service
from opsloop.evaluation.bindings import Measure, ScoredRow
from opsloop.evaluation.events import EvaluationFinished
from opsloop.evaluation.models import Experiment, ExperimentDataset, MetricSummary, RowRecord, RunDataset, RunStatus
from opsloop.evaluation.scoring import Kind, record, summaries
from opsloop.flows import versions as flows
from opsloop.flows.batch import BatchResult, Progress, run_batch
from opsloop.flows.loaded import LoadedFlow

_BY = system("evaluation")
# How often progress is told and a wish to stop is heard.
LOOK_EVERY_S = 0.1


@job(service.KIND)
def run(context: JobContext, payload: dict[str, Any]) -> None:
    """Run an evaluation to its end; called again after a crash it goes on with the rows its journal does not have."""
    run_id = payload["run"]
    try:
        _evaluate(context, run_id)
    except Again:
        raise
    except Exception as error:  # whatever ended the job ended the run too; the job's rim logs it
        ended = error
        context.patiently(lambda: _fail(context.workspace, run_id, ended))
        raise


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows of one dataset, each repeated, and the measures to take of them."""

    ref: str
    declared: ExperimentDataset
    rows: list[dict[str, Any]]
    measures: list[Measure]
    journal: Path | None


def _evaluate(context: JobContext, run_id: str) -> None:
    workspace = context.workspace
    with workspace.writing(_BY) as uow:
        row = service.row_of(uow, run_id)
        if RunStatus(row.status).is_final:
            return
        row.status = RunStatus.RUNNING
        experiment = service.experiment_of(uow, run_id)
        version = flows.get(uow, row.flow)
        used = service.get(uow, run_id).datasets
    flow = flows.open(workspace, version)
    with workspace.reading(_BY) as uow:
        parts = [
            _part(uow, experiment, flow, place, each, _journal(workspace, run_id, place))
            for place, each in enumerate(used)
        ]
    token = current_workspace.set(workspace)
    try:
        batches = asyncio.run(_run_parts(context, flow, parts, experiment.repeats))
    finally:
        current_workspace.reset(token)
    records = [each for part, batch in zip(parts, batches, strict=True) for each in _records(part, batch)]
    context.yield_back()
    taken = [each for part in parts for each in part.measures]
    kinds = {each.metric: Kind(each.evaluator.higher_is_better, each.evaluator.unit) for each in taken}
    found = summaries(records, kinds, seed=experiment.seed)
    key = results.store(workspace.artifacts, records)
    context.patiently(lambda: _finish(workspace, run_id, records, found, key))
    for part in parts:
        if part.journal is not None:
            part.journal.unlink(missing_ok=True)


def _journal(workspace: Workspace, run_id: str, place: int) -> Path:
    return workspace.data_dir / "journals" / f"{run_id}-{place}.jsonl"


def _part(
    uow: UnitOfWork, experiment: Experiment, flow: LoadedFlow, place: int, used: RunDataset, journal: Path
) -> _Part:
    declared = experiment.datasets[place]
    version = datasets.get(uow, used.ref)
    measures = service.measures_of(experiment, flow.flow, version, declared.name)
    # A journal keeps outputs, not what nodes gave: where a measure reads that, a killed run starts its rows again.
    kept = None if any(each.needs_traces for each in measures) else journal
    return _Part(used.ref, declared, list(datasets.rows(uow, version)), measures, kept)


async def _run_parts(context: JobContext, flow: LoadedFlow, parts: Sequence[_Part], repeats: int) -> list[BatchResult]:
    total = sum(len(part.rows) for part in parts) * repeats
    finished: list[BatchResult] = []
    for part in parts:
        before = sum(len(batch.rows) for batch in finished)
        finished.append(await _run_part(context, flow, part, repeats, before=before, total=total))
    return finished


async def _run_part(
    context: JobContext, flow: LoadedFlow, part: _Part, repeats: int, *, before: int, total: int
) -> BatchResult:
    """Run one dataset's rows, telling progress beside it and stopping when asked to."""
    latest = Progress(0, 0, 0, 0)

    def note(progress: Progress) -> None:
        nonlocal latest
        latest = progress

    rows = [row for row in part.rows for _ in range(repeats)]
    work = run_batch(flow, rows, mapping=part.declared.mappings, journal=part.journal, progress=note)
    batch = asyncio.ensure_future(work)
    try:
        while not batch.done():
            failed = f", {latest.failed} failed" if latest.failed else ""
            await asyncio.to_thread(context.progress, before + latest.done, total, f"{part.ref}{failed}")
            context.yield_back()
            await asyncio.wait([batch], timeout=LOOK_EVERY_S)
        return await batch
    finally:
        if not batch.done():
            batch.cancel()
            await asyncio.gather(batch, return_exceptions=True)


def _records(part: _Part, batch: BatchResult) -> list[RowRecord]:
    repeats = len(batch.rows) // len(part.rows)
    found = []
    for result in batch.rows:
        row, repeat = divmod(result.index, repeats)
        found.append(record(part.ref, row, repeat, ScoredRow(part.rows[row], result), part.measures))
    return found


def _finish(
    workspace: Workspace, run_id: str, records: Sequence[RowRecord], metrics: dict[str, MetricSummary], key: str
) -> None:
    with workspace.writing(_BY) as uow:
        row = service.row_of(uow, run_id)
        row.status = RunStatus.DONE
        row.metrics = {name: asdict(summary) for name, summary in metrics.items()}
        row.failed_rows = sum(each.error is not None for each in records)
        row.results = key
        row.finished_at = uow.clock.now()
        for used in row.datasets:
            lineage.note_use(uow, datasets.get(uow, used["ref"]), "evaluation", run_id)
        uow.audit("evaluation.finished", f"evaluation/{run_id}", flow=row.flow, failed_rows=row.failed_rows)
        uow.emit(EvaluationFinished(run_id, row.experiment, row.flow, RunStatus.DONE.value))


def _fail(workspace: Workspace, run_id: str, error: Exception) -> None:
    with workspace.writing(_BY) as uow:
        row = service.row_of(uow, run_id)
        if RunStatus(row.status).is_final:
            return
        row.status = RunStatus.FAILED
        row.finished_at = uow.clock.now()
        if jobs.get(uow, row.job).status is JobStatus.CANCELLED:
            row.error = "it was cancelled"
        else:
            said = error.sentence if isinstance(error, OpsloopError) else f"{type(error).__name__}: {error}"
            row.error = said.replace("\0", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL stores no zero character
        uow.emit(EvaluationFinished(run_id, row.experiment, row.flow, RunStatus.FAILED.value))
