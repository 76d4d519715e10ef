"""The figures of a run beyond its metrics: what it cost and how long it took, how scores lie, how slices did."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from opsloop.evaluation.comparison.slices import columns_for_slices, declared_slices, slices
from opsloop.evaluation.models import RowRecord, Run
from opsloop.evaluation.spread import Histogram, Quantiles, histogram, quantiles
from opsloop.evaluation.statistics.distributions import student_quantile
from opsloop.evaluation.statistics.intervals import wilson


@dataclass(frozen=True, slots=True)
class Spending:
    """What rows took: of those the flow completed, and for cost and tokens of those where it is known."""

    latency_ms: Quantiles | None
    cost_usd: Quantiles | None
    prompt_tokens: Quantiles | None
    completion_tokens: Quantiles | None


@dataclass(frozen=True, slots=True)
class MetricSpread:
    """How the values of a metric lie over the rows; `base` on the same scale, where there is a run to compare with."""

    metric: str
    unit: str
    head: Histogram
    base: Histogram | None


@dataclass(frozen=True, slots=True)
class SliceFigure:
    """A metric's mean over the `rows` of a slice that have it, with its 95 % interval."""

    metric: str
    value: float | None
    low: float | None
    high: float | None
    rows: int


@dataclass(frozen=True, slots=True)
class RunSlice:
    name: str
    rows: int
    figures: tuple[SliceFigure, ...]


def spending(records: Sequence[RowRecord]) -> Spending:
    """Of a run that asked no model there are no tokens and no cost to tell of."""
    done = [each for each in records if each.error is None and each.skipped is None]
    asked = [each for each in records if each.prompt_tokens or each.completion_tokens or each.cost_usd]
    records = records if asked else []
    return Spending(
        latency_ms=quantiles(each.latency_ms for each in done),
        cost_usd=quantiles(each.cost_usd for each in records if each.cost_usd is not None),
        prompt_tokens=quantiles(each.prompt_tokens for each in records if each.prompt_tokens is not None),
        completion_tokens=quantiles(each.completion_tokens for each in records if each.completion_tokens is not None),
    )


def spreads(run: Run, records: Sequence[RowRecord], base: Sequence[RowRecord]) -> tuple[MetricSpread, ...]:
    found = []
    for metric, summary in run.metrics.items():
        ours, theirs = (_measured(rows, metric) for rows in (records, base))
        if not ours:
            continue
        both = [*ours, *theirs]
        low, high = (0.0, 1.0) if min(both) >= 0 and max(both) <= 1 else (min(0.0, *both), max(both))
        below = histogram(theirs, low, high) if theirs else None
        found.append(MetricSpread(metric, summary.unit, histogram(ours, low, high), below))
    return tuple(found)


def run_slices(
    run: Run, records: Sequence[RowRecord], declared: Mapping[str, Any] | None = None
) -> tuple[RunSlice, ...]:
    """Those that the gate names, by dataset when there are several, then by the columns with few values."""
    named = declared_slices([(each.dataset, each.data) for each in records], declared or {})
    data = [each.data for each in records]
    cut = [("dataset", [{"dataset": each.dataset} for each in records])] if len(run.datasets) > 1 else []
    cut += [(column, data) for column in columns_for_slices(data)]
    named |= {name: places for column, rows in cut for name, places in slices(rows, column).items()}
    return tuple(
        RunSlice(name, len(places), tuple(_figure(metric, [records[at] for at in places]) for metric in run.metrics))
        for name, places in named.items()
    )


def _measured(records: Sequence[RowRecord], metric: str) -> list[float]:
    return [score for each in records if (score := each.scores.get(metric)) is not None]


def _figure(metric: str, records: Sequence[RowRecord]) -> SliceFigure:
    """Wilson's interval for shares, Student's for scores."""
    values = _measured(records, metric)
    if not values:
        return SliceFigure(metric, None, None, None, 0)
    if set(values) <= {0.0, 1.0}:
        share = wilson(int(sum(values)), len(values))
        return SliceFigure(metric, share.estimate, share.low, share.high, len(values))
    mean = fmean(values)
    deviation = stdev(values) if len(values) > 1 else 0.0
    if deviation == 0.0:
        return SliceFigure(metric, mean, None, None, len(values))  # rows all alike say nothing of how sure they are
    reach = student_quantile(0.975, len(values) - 1) * deviation / math.sqrt(len(values))
    return SliceFigure(metric, mean, mean - reach, mean + reach, len(values))
