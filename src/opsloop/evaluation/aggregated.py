"""Figures of all rows of a run together, with intervals, and as estimates that a gate can judge.

They stand among the metrics of a run as `metric.figure`: `classification.macro_f1`, `abstention.auroc`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsloop.core.errors import ExtraNeeded
from opsloop.evaluation.bindings import Measure
from opsloop.evaluation.evaluators.aggregates import Aggregate
from opsloop.evaluation.models import MetricSummary, RowRecord

if TYPE_CHECKING:  # numpy is an extra
    from opsloop.evaluation.statistics.estimates import Interval
    from opsloop.evaluation.statistics.resampled import Resampled

Clusters = Mapping[tuple[str, int], Hashable]
"""By dataset and row, what rows share; a row that is not there stands alone with its repeats."""


@dataclass(frozen=True, slots=True)
class Made:
    """An aggregate and the metric whose parts it reads."""

    metric: str
    aggregate: Aggregate


def made_by(measures: Sequence[Measure]) -> list[Made]:
    """One for each metric that has an aggregate."""
    found = {each.metric: each.aggregate for each in measures if each.aggregate is not None}
    return [Made(metric, aggregate) for metric, aggregate in found.items()]


def summaries(records: Sequence[RowRecord], made: Sequence[Made], *, seed: int) -> dict[str, MetricSummary]:
    """Each figure that is defined, with its interval of 95 %. Raises: ExtraNeeded."""
    found: dict[str, MetricSummary] = {}
    for each in made:
        failed = sum(each.metric in record.errors for record in records)
        for name, figure in resampled(records, each, seed=seed).items():
            if figure.value is not None:
                interval = figure.estimate.interval(0.95) if figure.estimate is not None else None
                found[f"{each.metric}.{name}"] = _summary(figure, interval, name, each.aggregate, failed, len(records))
    return found


def resampled(
    records: Sequence[RowRecord], made: Made, *, seed: int, clusters: Clusters | None = None
) -> dict[str, Resampled]:
    """The figures of one aggregate over some rows. Raises: ExtraNeeded."""
    try:
        from opsloop.evaluation.statistics.resampled import resampled as of  # numpy, an extra
    except ImportError as error:
        raise ExtraNeeded(what="a figure of all rows", extra="evaluation") from error
    having = [record for record in records if made.metric in record.parts]
    if not having:
        return {}
    parts = [record.parts[made.metric] for record in having]
    places = [(record.dataset, record.row) for record in having]
    shared = [(clusters or {}).get(place, place) for place in places]
    return of(lambda weights: made.aggregate.figures(parts, weights), shared, seed=seed)


def _summary(
    figure: Resampled, interval: Interval | None, name: str, aggregate: Aggregate, failed: int, rows: int
) -> MetricSummary:
    return MetricSummary(
        value=figure.value,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        rows=figure.rows,
        failed=failed,
        not_applicable=rows - figure.rows,
        p50=None,
        p95=None,
        higher_is_better=name not in aggregate.lower_is_better,
        unit=aggregate.unit,
        is_aggregate=True,
    )
