"""The calibration as a durable job: the judge over the labelled rows, some of them twice."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from opsloop.core.caller import system
from opsloop.core.context import current_workspace
from opsloop.core.errors import ExtraNeeded, OpsloopError
from opsloop.core.jobs.registry import Again, JobContext, job
from opsloop.datasets import lineage
from opsloop.datasets import service as datasets
from opsloop.evaluation.evaluators.judging import spec as specs
from opsloop.evaluation.evaluators.judging.judge import Judge, Judged
from opsloop.evaluation.evaluators.judging.spec import JudgeSpec
from opsloop.evaluation.judges import service
from opsloop.evaluation.judges._tables import JudgeVersionRow
from opsloop.evaluation.judges.calibrating import KIND
from opsloop.evaluation.judges.errors import NothingLabelled
from opsloop.evaluation.judges.labels import consensus, labels_of
from opsloop.evaluation.judges.models import CalibrationStatus
from opsloop.flows.calls import Cache, current_answers
from opsloop.flows.results import NO_TOKENS

_BY = system("evaluation")
ROWS_AT_ONCE = 100
SEED = 0


@job(KIND)
def calibrate(context: JobContext, payload: dict[str, Any]) -> None:
    """Calibrate to the end; called again after a crash it asks no model twice for what it has."""
    id = payload["calibration"]
    try:
        _calibrate(context, id)
    except Again:
        raise
    except Exception as error:  # whatever ended the job ended the calibration too; the job's rim logs it
        said = error.sentence if isinstance(error, OpsloopError) else f"{type(error).__name__}: {error}"
        context.patiently(lambda: _end(context, id, CalibrationStatus.FAILED, error=said))
        raise
    finally:
        if not context.stopping.is_set():
            shutil.rmtree(_answers(context, id), ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Labelled:
    values: dict[str, Any]
    labels: list[float | None]


def _calibrate(context: JobContext, id: str) -> None:
    with context.workspace.writing(_BY) as uow:
        row = service.row_of(uow, id)
        if CalibrationStatus(row.status).is_final:
            return
        row.status = CalibrationStatus.RUNNING
        spec = specs.read(uow.session.get_one(JudgeVersionRow, row.judge_version).declared, "")
        wanted, dataset = row.wanted, row.dataset
    with context.workspace.reading(_BY) as uow:
        given = list(datasets.rows(uow, datasets.get(uow, dataset)))
    rows = _labelled(given, wanted, spec)
    if not any(consensus(each.labels, spec.scale) is not None for each in rows):
        raise NothingLabelled(dataset=dataset, labels=", ".join(wanted["labels"]))
    token = current_workspace.set(context.workspace)
    try:
        judged, again = asyncio.run(_asked(context, id, spec, rows, wanted["retest"]))
    finally:
        current_workspace.reset(token)
    found = _found(spec, rows, judged, again)
    context.patiently(lambda: _end(context, id, CalibrationStatus.DONE, found=found))


def _labelled(given: Sequence[Mapping[str, Any]], wanted: Mapping[str, Any], spec: JudgeSpec) -> list[_Labelled]:
    """The rows that have a label. Raises: LabelsInvalid."""
    found = []
    for number, row in enumerate(given):
        labels = labels_of(row, number, wanted["labels"], spec.scale)
        if any(label is not None for label in labels):
            found.append(_Labelled({name: row.get(column) for name, column in wanted["inputs"].items()}, labels))
    return found


async def _asked(
    context: JobContext, id: str, spec: JudgeSpec, rows: Sequence[_Labelled], retest: int
) -> tuple[list[Judged], list[Judged]]:
    """What the judge says of each row, and of the first ones a second time."""
    judge = Judge(spec)
    twice = [each.values for each in rows[:retest]]
    values = [each.values for each in rows]
    first = await _pass(context, judge, values, _answers(context, id) / "first", before=0, total=len(rows) + len(twice))
    second = await _pass(
        context, judge, twice, _answers(context, id) / "second", before=len(rows), total=len(rows) + len(twice)
    )
    return first, second


async def _pass(
    context: JobContext, judge: Judge, values: Sequence[Mapping[str, Any]], answers: Path, *, before: int, total: int
) -> list[Judged]:
    token = current_answers.set((Cache(answers),))
    found: list[Judged] = []
    try:
        for start in range(0, len(values), ROWS_AT_ONCE):
            await asyncio.to_thread(context.progress, before + start, total)
            context.yield_back()
            found += await judge.rows(values[start : start + ROWS_AT_ONCE])
    finally:
        current_answers.reset(token)
    return found


def _found(
    spec: JudgeSpec, rows: Sequence[_Labelled], judged: Sequence[Judged], again: Sequence[Judged]
) -> dict[str, Any]:
    try:
        from opsloop.evaluation.judges.biases import Probed, biases, size_of  # numpy, an extra
        from opsloop.evaluation.judges.comparing import LabelledRow, compared
    except ImportError as error:
        raise ExtraNeeded(what="the calibration of a judge", extra="evaluation") from error
    agreement = compared(
        [LabelledRow(row.labels, each.score) for row, each in zip(rows, judged, strict=True)], spec.scale, seed=SEED
    )
    assert agreement is not None, "there are labelled rows"
    probed = [
        Probed(label, each.score, size_of(row.values), each.orders)
        for row, each in zip(rows, judged, strict=True)
        if each.score is not None and (label := consensus(row.labels, spec.scale)) is not None
    ]
    moved = biases(probed, [(one.score, other.score) for one, other in zip(judged, again, strict=False)], seed=SEED)
    use = sum((each.use for each in [*judged, *again]), start=NO_TOKENS)
    return {
        "agreement": asdict(agreement),
        "biases": asdict(moved),
        "answered_by": sorted({each.by for each in judged if each.by}),
        "calls": use.calls,
        "prompt_tokens": use.prompt,
        "completion_tokens": use.completion,
        "cost_usd": use.cost_usd,
    }


def _answers(context: JobContext, id: str) -> Path:
    return context.workspace.data_dir / "journals" / f"{id}-answers"


def _end(
    context: JobContext,
    id: str,
    status: CalibrationStatus,
    *,
    found: dict[str, Any] | None = None,
    error: str | None = None,
) -> None:
    with context.workspace.writing(_BY) as uow:
        row = service.row_of(uow, id)
        if CalibrationStatus(row.status).is_final:
            return
        row.status, row.found, row.finished_at = status, found, uow.clock.now()
        row.error = None if error is None else error.replace("\0", "\N{REPLACEMENT CHARACTER}")
        judge = service.calibration(uow, id).judge
        if found is not None:
            lineage.note_use(uow, datasets.get(uow, row.dataset), "judge", judge)
            kappa = found["agreement"]["kappa"]
            uow.audit("judge.calibrated", f"judge/{judge}", dataset=row.dataset, kappa=kappa["value"], low=kappa["low"])
