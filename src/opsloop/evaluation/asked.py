"""Measures that ask models or users' code: taken of all rows of a run together, once the flow has done its part."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from opsloop.evaluation.bindings import Measure
from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.evaluators.asking import ITSELF, Asked
from opsloop.evaluation.models import AskedUse, RowRecord
from opsloop.evaluation.scoring import Kind
from opsloop.flows.calls import Cache, current_answers
from opsloop.flows.results import TokenUse

FLOW_FAILED = "the flow failed"
Measures = Mapping[str, Sequence[Measure]]
"""By the dataset version whose rows they are for."""


async def answered(records: Sequence[RowRecord], measures: Measures, answers: Path | None = None) -> list[RowRecord]:
    """The rows with what was still to be asked.

    Args:
        answers: folder in which answers of models are kept, so that a run that goes on after a crash pays for none
            twice; it then also asks the same question of the same model once. It can be removed when the run has ended.
    Raises: what an evaluator raises that concerns no single row, such as ModelUnavailable.
    """
    found = list(records)
    with _kept_in(answers):
        for dataset, of_dataset in measures.items():
            rows = [place for place, record in enumerate(found) if record.dataset == dataset and record.skipped is None]
            for measure in of_dataset:
                if measure.ask is not None:
                    await _ask(measure, found, rows)
    return _complete([replace(record, asks={}) for record in found], measures)


def kinds(metrics: Sequence[str], measures: Measures) -> dict[str, Kind]:
    """What each metric is; `relevance.score` is of the evaluator whose metric is `relevance`."""
    found = {}
    for metric in metrics:
        of = [each for every in measures.values() for each in every if is_of(metric, each.metric)]
        if of:
            nearest = max(of, key=lambda each: len(each.metric)).evaluator
            found[metric] = Kind(nearest.higher_is_better, nearest.unit)
    return found


def check_is_taken_at_once(metric: str | None, measures: Sequence[Measure]) -> None:
    """See that variants which may be stopped on the way are compared by what each row has once it was run.

    Raises: ExperimentInvalid.
    """
    for each in measures:
        if metric is not None and is_of(metric, each.metric) and (each.ask is not None or metric != each.metric):
            wanted = f"a metric that a row has as soon as it was run; {metric} is there once all rows were"
            raise ExperimentInvalid("variants.metric", wanted, value=metric)


def is_of(metric: str, base: str) -> bool:
    """Whether a metric is that of an evaluator, or a figure or output of it."""
    return metric == base or metric.startswith(f"{base}.")


async def _ask(measure: Measure, records: list[RowRecord], rows: Sequence[int]) -> None:
    assert measure.ask is not None
    asked = [place for place in rows if measure.metric in records[place].asks]
    answers = await measure.ask([records[place].asks[measure.metric] for place in asked])
    for place, answer in zip(asked, answers, strict=True):
        records[place] = _with(records[place], measure, answer)


def _with(record: RowRecord, measure: Measure, answer: Asked) -> RowRecord:
    scores, errors = dict(record.scores), dict(record.errors)
    for output, value in answer.scores.items():
        metric = _named(measure.metric, output)
        if value is not None and math.isfinite(value):
            scores[metric] = value
        else:
            errors[metric] = f"it gave {value}; wanted a finite number"
    if answer.error is not None:
        errors[measure.metric] = answer.error
    if not answer.applies:
        scores[measure.metric] = None
    used = _added(record, answer.use)
    notes = {**record.notes, measure.metric: answer.note} if answer.note else record.notes
    asked = {**record.asked, measure.metric: _use(answer)} if answer.use.calls else record.asked
    return replace(used, scores=scores, errors=errors, notes=notes, asked=asked)


def _named(metric: str, output: str) -> str:
    return metric if output == ITSELF else f"{metric}.{output}"


def _use(answer: Asked) -> AskedUse:
    return AskedUse(answer.use.calls, answer.use.prompt, answer.use.completion, answer.use.cost_usd, answer.by)


def _added(record: RowRecord, use: TokenUse) -> RowRecord:
    if not use.calls:
        return record
    cost = use.cost_usd
    return replace(
        record,
        cost_usd=None if record.cost_usd is None or cost is None else record.cost_usd + cost,
        prompt_tokens=None if record.prompt_tokens is None else record.prompt_tokens + use.prompt,
        completion_tokens=None if record.completion_tokens is None else record.completion_tokens + use.completion,
    )


@dataclass(frozen=True, slots=True)
class _Output:
    """A metric that an evaluator gave on some row, and what a row counts on which it did not."""

    metric: str
    worst: float | None


def _complete(records: list[RowRecord], measures: Measures) -> list[RowRecord]:
    """Every output of an evaluator on every row: what is not there failed, with a reason, and counts with the worst."""
    names = dict.fromkeys(each.metric for every in measures.values() for each in every if each.ask is not None)
    for base in names:
        of = {ref: each for ref, every in measures.items() for each in every if each.metric == base}
        outputs = _outputs(base, records, of, names.keys() - {base})
        records = [_filled(record, base, outputs) if record.dataset in of else record for record in records]
    return records


def _outputs(
    base: str, records: Sequence[RowRecord], of: Mapping[str, Measure], others: Collection[str]
) -> list[_Output]:
    seen: dict[str, list[float]] = {}
    for record in records:
        if record.dataset in of:
            for metric in [*record.scores, *record.errors]:
                value = record.scores.get(metric)
                if metric in others or not is_of(metric, base):
                    continue
                if (metric != base or value is not None) and base not in record.errors:
                    seen.setdefault(metric, []).extend([] if value is None else [value])
    evaluator = next(iter(of.values())).evaluator
    return [
        _Output(metric, _worst(values, evaluator.worst, higher_is_better=evaluator.higher_is_better))
        for metric, values in (seen or {base: []}).items()
    ]


def _worst(values: Sequence[float], declared: float | None, *, higher_is_better: bool) -> float | None:
    """As declared; else 0 of scores from 0 to 1, and no value of others, whose range nobody said."""
    if declared is not None or not values or not all(0.0 <= value <= 1.0 for value in values):
        return declared
    return 0.0 if higher_is_better else 1.0


def _filled(record: RowRecord, base: str, outputs: Sequence[_Output]) -> RowRecord:
    if record.skipped is not None:
        return record
    reason = FLOW_FAILED if record.error is not None else record.errors.get(base)
    does_not_apply = reason is None and base in record.scores and record.scores[base] is None
    scores, errors = dict(record.scores), {name: why for name, why in record.errors.items() if name != base}
    if base not in {each.metric for each in outputs}:
        scores.pop(base, None)
    for each in outputs:
        if does_not_apply:
            scores[each.metric] = None
        elif each.metric not in scores or scores[each.metric] is None or reason is not None:
            errors[each.metric] = reason or errors.get(each.metric) or "the evaluator gave nothing for it"
            scores[each.metric] = each.worst
    return replace(record, scores=scores, errors=errors)


@contextmanager
def _kept_in(folder: Path | None) -> Iterator[None]:
    if folder is None:
        yield
        return
    token = current_answers.set((Cache(folder),))
    try:
        yield
    finally:
        current_answers.reset(token)
