"""The evaluation as a durable job: rows through the flow, evaluators over the rows, one transaction at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Any

from opsloop.core.caller import system
from opsloop.core.context import current_workspace
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.registry import Again, JobContext, job
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.datasets import lineage
from opsloop.datasets import service as datasets
from opsloop.evaluation import aggregated, leaks, results, service
from opsloop.evaluation import cancelling as cancelling  # registers what ends runs with their job
from opsloop.evaluation.aggregated import made_by
from opsloop.evaluation.asked import kinds
from opsloop.evaluation.asking_job import asked_all, forget
from opsloop.evaluation.budget import Account
from opsloop.evaluation.course import Arm
from opsloop.evaluation.events import EvaluationFinished
from opsloop.evaluation.loading import variables_of
from opsloop.evaluation.models import Experiment, MetricSummary, Run, RunStatus
from opsloop.evaluation.preparing import Prepared, prepared
from opsloop.evaluation.running import Outcome, rows_at_once
from opsloop.evaluation.scoring import summaries
from opsloop.evaluation.study import Study
from opsloop.flows.environment import for_a_while

_BY = system("evaluation")
# How often progress is told and a wish to stop is heard.
LOOK_EVERY_S = 0.1


@job(service.KIND)
def run(context: JobContext, payload: dict[str, Any]) -> None:
    """Run evaluations to their end; called again after a crash it goes on with the rows its journals do not have."""
    run_ids = service.runs_of_job(payload)
    try:
        _evaluate(context, run_ids)
    except Again:
        raise
    except Exception as error:  # whatever ended the job ended the runs too; the job's rim logs it
        ended = error
        context.patiently(lambda: _fail(context.workspace, run_ids, ended))
        raise


def _evaluate(context: JobContext, run_ids: Sequence[str]) -> None:
    workspace = context.workspace
    with workspace.writing(_BY) as uow:
        rows = [service.row_of(uow, each) for each in run_ids]
        if all(RunStatus(row.status).is_final for row in rows):
            return
        for row in rows:
            row.status = RunStatus.RUNNING
        experiment = service.experiment_of(uow, run_ids[0])
        runs = [service.get(uow, each) for each in run_ids]
    leaks.note(workspace, run_ids, _BY)
    token = current_workspace.set(workspace)
    try:
        with for_a_while(variables_of(experiment)):
            with workspace.reading(_BY) as uow:
                ready = prepared(workspace, uow, experiment, runs)
            ended = asyncio.run(_run_all(context, experiment, ready))
            outcomes = [
                asked_all(context, experiment, each, outcome) for each, (outcome, _) in zip(ready, ended, strict=True)
            ]
    finally:
        current_workspace.reset(token)
    context.yield_back()
    done = [
        _done(workspace, experiment, each, outcome, cut)
        for each, outcome, (_, cut) in zip(ready, outcomes, ended, strict=True)
    ]
    context.patiently(lambda: _finish(workspace, done))
    _forget_journals(ready)
    for each in ready:
        forget(context, each.run.id)


def _metrics(experiment: Experiment, ready: Prepared, outcome: Outcome) -> dict[str, MetricSummary]:
    """What each metric comes to, and the figures of all rows together."""
    measures = {part.ref: part.measures for part in ready.parts}
    of_outputs = kinds([metric for each in outcome.records for metric in each.scores], measures)
    found = summaries(outcome.records, {**ready.kinds, **of_outputs}, seed=experiment.seed)
    made = made_by([each for part in ready.parts for each in part.measures])
    return {**found, **aggregated.summaries(outcome.records, made, seed=experiment.seed)}


@dataclass(frozen=True, slots=True)
class _Done:
    """A run that is over: what is stored of it."""

    run: Run
    outcome: Outcome
    metrics: dict[str, MetricSummary]
    results: str
    cut: str | None


def _done(workspace: Workspace, experiment: Experiment, ready: Prepared, outcome: Outcome, cut: str | None) -> _Done:
    metrics = _metrics(experiment, ready, outcome)
    key = results.store(workspace.artifacts, outcome.records)
    return _Done(ready.run, outcome, _in_order(experiment, metrics), key, cut)


def _in_order(experiment: Experiment, metrics: dict[str, MetricSummary]) -> dict[str, MetricSummary]:
    """The metrics in the order of the evaluators that they come from."""
    names = [each.metric for each in experiment.evaluators]

    def place(metric: str) -> int:
        return next((at for at, name in enumerate(names) if metric == name or metric.startswith(f"{name}.")), -1)

    return {metric: metrics[metric] for metric in sorted(metrics, key=place)}


async def _run_all(
    context: JobContext, experiment: Experiment, ready: Sequence[Prepared]
) -> list[tuple[Outcome, str | None]]:
    """What each run came to, and why it did not go over all rows."""
    workspace = context.workspace
    async with AsyncExitStack() as stack:
        arms = [Arm(each.run.variant, await stack.enter_async_context(each.rows(experiment))) for each in ready]
        account = Account(experiment.budget, workspace.clock)
        has_server = workspace.settings.llm_base_url is not None
        at_once = rows_at_once([flow for each in ready for flow in each.flows], has_server=has_server)
        study = Study(experiment, arms, account, at_once=at_once)
        await _watched(context, study)
        ended = []
        for arm in arms:
            cut = study.why_cut(arm)
            ended.append((await arm.rows.outcome(cut or ""), cut))
        return ended


async def _watched(context: JobContext, study: Study) -> None:
    """Let the rows run, telling progress beside them and stopping when asked to."""
    work = asyncio.ensure_future(study.run())
    try:
        while not work.done():
            done, total, failed = study.progress()
            said = f"{failed} failed" if failed else ""
            await asyncio.to_thread(context.progress, done, total, said)
            context.yield_back()
            await asyncio.wait([work], timeout=LOOK_EVERY_S)
        await work
    finally:
        if not work.done():
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


def _finish(workspace: Workspace, done: Sequence[_Done]) -> None:
    """Store what came out; of all runs of a study at once, so that who sees one done sees all."""
    with workspace.writing(_BY) as uow:
        for each in done:
            _store(uow, each)


def _store(uow: UnitOfWork, done: _Done) -> None:
    outcome = done.outcome
    row = service.row_of(uow, done.run.id)
    if RunStatus(row.status).is_final:  # its job was cancelled while it ended
        return
    row.status = RunStatus.DONE
    row.metrics = {name: asdict(summary) for name, summary in done.metrics.items()}
    row.failed_rows = sum(each.error is not None for each in outcome.records)
    row.results = done.results
    row.finished_at = uow.clock.now()
    row.aggregates = outcome.aggregates
    row.cut = done.cut
    row.warnings = [*(row.warnings or ()), *outcome.warnings]
    row.cost_usd = outcome.used.cost_usd
    row.prompt_tokens, row.completion_tokens = outcome.used.prompt, outcome.used.completion
    for each in row.datasets:
        lineage.note_use(uow, datasets.get(uow, each["ref"]), "evaluation", row.id)
    uow.audit("evaluation.finished", f"evaluation/{row.id}", flow=row.flow, failed_rows=row.failed_rows)
    uow.emit(EvaluationFinished(row.id, row.experiment, row.flow, RunStatus.DONE.value))


def _fail(workspace: Workspace, run_ids: Sequence[str], error: Exception) -> None:
    with workspace.writing(_BY) as uow:
        for run_id in run_ids:
            service.end_badly(uow, run_id, jobs.why_ended(uow, service.row_of(uow, run_id).job, error))


def _forget_journals(ready: Sequence[Prepared]) -> None:
    for each in ready:
        for part in each.parts:
            if part.journals is not None:
                for file in part.journals.parent.glob(f"{part.journals.name}*.jsonl"):
                    file.unlink(missing_ok=True)
