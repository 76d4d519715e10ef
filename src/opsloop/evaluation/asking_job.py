"""Asking what is still to be asked, as a part of a job: it hears of a wish to stop, and pays for no answer twice."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from opsloop.core.context import current_workspace
from opsloop.core.jobs.registry import JobContext
from opsloop.evaluation.asked import Measures, answered
from opsloop.evaluation.loading import connections_of
from opsloop.evaluation.models import AskedUse, Experiment, RowRecord
from opsloop.evaluation.preparing import Prepared
from opsloop.evaluation.running import Outcome
from opsloop.flows.connections import lookup
from opsloop.flows.model_access import ModelAccess, current_models
from opsloop.flows.results import TokenUse

LOOK_EVERY_S = 0.1


def asked_all(context: JobContext, experiment: Experiment, ready: Prepared, outcome: Outcome) -> Outcome:
    """What a run came to, with what its evaluators asked. Raises: Again when the job is to stop; as `answered`."""
    measures: Measures = {part.ref: part.measures for part in ready.parts}
    if not any(each.ask is not None for every in measures.values() for each in every):
        return outcome
    workspace = current_workspace.set(context.workspace)
    models = current_models.set(ModelAccess(lookup.here(connections_of(experiment))))
    try:
        records = asyncio.run(_watched(context, outcome, measures, _answers(context, ready.run.id)))
    finally:
        current_models.reset(models)
        current_workspace.reset(workspace)
    used = sum((_used(each.asked) for each in records), start=outcome.used)
    return replace(outcome, records=records, used=used)


def forget(context: JobContext, run_id: str) -> None:
    """Remove the answers that were kept for a run that has ended."""
    shutil.rmtree(_answers(context, run_id), ignore_errors=True)


def _answers(context: JobContext, run_id: str) -> Path:
    return context.workspace.data_dir / "journals" / f"{run_id}-answers"


async def _watched(context: JobContext, outcome: Outcome, measures: Measures, answers: Path) -> list[RowRecord]:
    work = asyncio.ensure_future(answered(outcome.records, measures, answers))
    try:
        while not work.done():
            context.yield_back()
            await asyncio.wait([work], timeout=LOOK_EVERY_S)
        return await work
    finally:
        if not work.done():
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


def _used(asked: Mapping[str, AskedUse]) -> TokenUse:
    """What evaluators asked for a row; a call whose cost is not known has no price."""
    return sum(
        (
            TokenUse(
                each.prompt_tokens,
                each.completion_tokens,
                calls=each.calls,
                unpriced_calls=each.calls if each.cost_usd is None else 0,
                priced_usd=each.cost_usd or 0.0,
            )
            for each in asked.values()
        ),
        start=TokenUse(),
    )
