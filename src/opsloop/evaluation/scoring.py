"""Scores of rows, and what they come to. A row on which the flow failed counts with the worst score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opsloop.core.errors import ExtraNeeded
from opsloop.evaluation.bindings import Measure, ScoredRow
from opsloop.evaluation.errors import CannotScore, EvaluatorBroke, ScoreUnusable
from opsloop.evaluation.models import MetricSummary, RowRecord

COMPLETED = "completed"
"""A metric that every run has: 1 for a row that the flow completed, 0 for one on which it failed."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a metric is, for its summary."""

    higher_is_better: bool = True
    unit: str = ""


def record(dataset: str, row: int, repeat: int, given: ScoredRow, measures: Sequence[Measure]) -> RowRecord:
    """Score one row. Raises: ScoreUnusable, EvaluatorBroke."""
    result = given.result
    scores: dict[str, float | None] = {COMPLETED: float(result.is_completed)}
    errors: dict[str, str] = {}
    asks: dict[str, dict[str, Any]] = {}
    for each in measures:
        if not result.is_completed:
            scores[each.metric] = each.evaluator.worst
            errors[each.metric] = "the flow failed"
            continue
        try:
            beside = _beside(each, given, row)
            if each.ask is None:
                scores[each.metric] = _score(each, beside, dataset, row)
            elif (values := each.values(beside)) is None:
                scores[each.metric] = None
            else:
                asks[each.metric] = dict(values)  # asked for all rows together, once they are there
        except CannotScore as error:
            scores[each.metric] = each.evaluator.worst
            errors[each.metric] = str(error)
    return RowRecord(
        dataset=dataset,
        row=row,
        repeat=repeat,
        data=dict(given.data),
        inputs=dict(result.inputs),
        outputs=dict(result.outputs),
        scores=scores,
        errors=errors,
        error=result.error,
        latency_ms=result.duration_ms,
        asks=asks,
        cost_usd=result.tokens.cost_usd,
        parts={
            each.metric: part
            for each in measures
            if each.aggregate is not None and (part := each.part_of(given, row)) is not None
        },
        prompt_tokens=None if result.tokens.uncounted_calls else result.tokens.prompt,
        completion_tokens=None if result.tokens.uncounted_calls else result.tokens.completion,
    )


def _beside(measure: Measure, given: ScoredRow, row: int) -> ScoredRow:
    """The row as a measure reads it. Raises: CannotScore when the dataset that it reads has no such row."""
    if measure.joined is None:
        return given
    if row not in measure.joined:
        raise CannotScore("the evaluator's dataset has no such row")
    return replace(given, data=measure.joined[row])


def _score(measure: Measure, given: ScoredRow, dataset: str, row: int) -> float | None:
    name = measure.evaluator.name
    try:
        score = measure.of(given)
    except CannotScore:
        raise
    except Exception as error:  # the rim of an evaluator: its defect must name the row and not look like the flow's
        raise EvaluatorBroke(
            evaluator=name, row=row + 1, dataset=dataset, reason=f"{type(error).__name__}: {error}"
        ) from error
    if score is not None and not math.isfinite(score):
        raise ScoreUnusable(evaluator=name, score=score, row=row + 1, dataset=dataset)
    return score


@dataclass(frozen=True, slots=True)
class Vectors:
    """Metrics by row, the mean of its repeats: one place per row of the data, in order; None where not measured."""

    metrics: Mapping[str, list[float | None]]
    clusters: list[str] | None


def vectors(records: Sequence[RowRecord], *, cluster_by: str | None = None) -> Vectors:
    """The rows of a run as the gate compares them.

    Args:
        cluster_by: column whose value rows of one group share; rows without it stand alone.
    """
    rows: dict[tuple[str, int], list[RowRecord]] = {}
    for each in records:
        rows.setdefault((each.dataset, each.row), []).append(each)
    metrics = list(dict.fromkeys(metric for each in records for metric in each.scores))
    return Vectors(
        {
            metric: [_mean(each.scores.get(metric) for each in repeats) for repeats in rows.values()]
            for metric in metrics
        },
        None if cluster_by is None else [_cluster(key, repeats[0], cluster_by) for key, repeats in rows.items()],
    )


def _cluster(key: tuple[str, int], record: RowRecord, column: str) -> str:
    value = record.data.get(column)
    return f"row {key}" if value is None else f"value {value!r}"


def _mean(scores: object) -> float | None:
    measured = [score for score in scores if score is not None]  # type: ignore[attr-defined]  # an iterable
    return math.fsum(measured) / len(measured) if measured else None


def summaries(records: Sequence[RowRecord], kinds: Mapping[str, Kind], *, seed: int) -> dict[str, MetricSummary]:
    """What each metric comes to over all rows. Raises: ExtraNeeded."""
    return {
        metric: _summary(metric, values, records, kinds.get(metric, Kind()), seed)
        for metric, values in vectors(records).metrics.items()
    }


def _summary(
    metric: str, values: Sequence[float | None], records: Sequence[RowRecord], kind: Kind, seed: int
) -> MetricSummary:
    measured = sorted(value for value in values if value is not None)
    low, high = _interval(metric, measured, seed) if measured else (None, None)
    failed = sum(metric in each.errors for each in records)
    absent = sum(
        each.scores.get(metric) is None and metric not in each.errors and each.skipped is None for each in records
    )
    return MetricSummary(
        value=_mean(measured),
        low=low,
        high=high,
        rows=len(measured),
        failed=failed if metric != COMPLETED else sum(each.error is not None for each in records),
        not_applicable=absent,
        p50=_quantile(measured, 0.50),
        p95=_quantile(measured, 0.95),
        higher_is_better=kind.higher_is_better,
        unit=kind.unit,
    )


def _interval(metric: str, measured: Sequence[float], seed: int) -> tuple[float, float]:
    """95 %: Wilson's for shares, the bootstrap for scores."""
    try:
        from opsloop.evaluation.statistics.bootstrap import mean_interval  # numpy, an extra
        from opsloop.evaluation.statistics.intervals import wilson
    except ImportError as error:
        raise ExtraNeeded(what="the intervals of an evaluation", extra="evaluation") from error
    if set(measured) <= {0.0, 1.0}:
        found = wilson(int(sum(measured)), len(measured))
    else:
        found = mean_interval(metric, measured, seed=seed)
    return found.low, found.high


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    """The value that `share` of the rows do not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None
