"""What became of one metric between two runs, with the interval of its paired difference."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from opsloop.core.errors import ExtraNeeded
from opsloop.evaluation.comparison.models import MetricChange
from opsloop.evaluation.comparison.pairs import Values
from opsloop.evaluation.comparison.passing import passes
from opsloop.evaluation.statistics.distributions import student_quantile

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Kind:
    """What is known of a metric before its rows are looked at."""

    name: str
    unit: str
    higher_is_better: bool
    passing: float | None
    is_score: bool = True
    """Whether its values lie from 0 to 1, so that losses of several such metrics can be added."""


@dataclass(frozen=True, slots=True)
class _Span:
    value: float
    low: float | None
    high: float | None
    method: str


def change(kind: Kind, values: Values, *, clusters: Sequence[Hashable] | None = None, seed: int = 0) -> MetricChange:
    """The change over all rows, its interval by the statistics that the gate uses. Raises: ExtraNeeded."""
    return _made(kind, values, _paired(kind.name, values, clusters, seed))


def change_at_a_glance(kind: Kind, values: Values) -> MetricChange:
    """The change over some rows, its interval by Student's t: quick enough for many slices of many rows."""
    return _made(kind, values, _student(_differences(values)))


def _made(kind: Kind, values: Values, span: _Span | None) -> MetricChange:
    both = _both(values)
    sign = 1.0 if kind.higher_is_better else -1.0
    gains = [sign * (head - base) for base, head in both]
    flips = [_flip(kind, base, head) for base, head in both]
    return MetricChange(
        metric=kind.name,
        unit=kind.unit,
        higher_is_better=kind.higher_is_better,
        rows=len(both),
        base=fmean(base for base, _ in both) if both else None,
        head=fmean(head for _, head in both) if both else None,
        difference=span.value if span else None,
        low=span.low if span else None,
        high=span.high if span else None,
        better=sum(gain > 0.0 for gain in gains),
        worse=sum(gain < 0.0 for gain in gains),
        same=sum(gain == 0.0 for gain in gains),
        broke=sum(flip < 0 for flip in flips),
        mended=sum(flip > 0 for flip in flips),
        passing=kind.passing,
        method=span.method if span else "no rows",
    )


def flip(kind: Kind, base: float | None, head: float | None) -> int:
    """-1 when the row broke under this metric, 1 when it was mended, else 0."""
    return 0 if base is None or head is None else _flip(kind, base, head)


def _flip(kind: Kind, base: float, head: float) -> int:
    if kind.passing is None:
        return 0
    before = passes(base, kind.passing, higher_is_better=kind.higher_is_better)
    after = passes(head, kind.passing, higher_is_better=kind.higher_is_better)
    return int(after) - int(before)


def _both(values: Values) -> list[tuple[float, float]]:
    return [
        (base, head)
        for base, head in zip(values.base, values.head, strict=True)
        if base is not None and head is not None
    ]


def _differences(values: Values) -> list[float]:
    return [head - base for base, head in _both(values)]


def _paired(metric: str, values: Values, clusters: Sequence[Hashable] | None, seed: int) -> _Span | None:
    try:
        from opsloop.evaluation.statistics.paired import difference_of  # numpy, an extra
        from opsloop.evaluation.statistics.rows import checked
    except ImportError as error:
        raise ExtraNeeded(what="comparing evaluations", extra="evaluation") from error
    rows = checked(metric, values.head, values.base, clusters)
    if not len(rows.candidate):
        return None
    found = difference_of(rows, seed=seed).interval(CONFIDENCE)
    return _Span(found.estimate, found.low, found.high, found.method)


def _student(differences: Sequence[float]) -> _Span | None:
    """The mean's interval by Student's t (W. S. Gosset, The probable error of a mean, Biometrika 6 (1908), 1-25)."""
    if len(differences) < 2:
        return None
    mean, count, deviation = fmean(differences), len(differences), stdev(differences)
    if deviation == 0.0:
        return _Span(mean, None, None, "rows that are all alike")  # an interval of no width would claim to be certain
    reach = student_quantile(0.5 + CONFIDENCE / 2.0, count - 1) * deviation / math.sqrt(count)
    return _Span(mean, mean - reach, mean + reach, "Student's t")
