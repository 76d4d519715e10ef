"""Figures of all rows together (an F1, an AUROC, a corpus BLEU) by the bootstrap, as something that can be tested.

A figure is a function of weights: ones give its value, the counts of a resample its resampled value, zeros on a group
of rows what is left without it, from which the acceleration of the BCa interval is estimated (grouped jackknife). Whole
clusters are drawn where rows share one; the repeats of a row are one cluster. Shares of independent rows (a precision,
a recall) are tested exactly, as the rows they speak of are few.

A resample in which a figure is not defined, such as the recall of a class it lost, is left out; when that are more than
one in ten, the rows are too few for an interval and none is given.

Source: B. Efron, R. Tibshirani, An introduction to the bootstrap, Chapman & Hall 1993, chapter 14 (BCa, jackknife
acceleration).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opsloop.evaluation.statistics.estimates import Estimate
from opsloop.evaluation.statistics.figure import Figure
from opsloop.evaluation.statistics.intervals import ExactProportion
from opsloop.evaluation.statistics.resampled_figure import ResampledFigure
from opsloop.evaluation.statistics.rows import Floats, Span
from opsloop.evaluation.statistics.unseen import Guarded, NoSpread, Unseen

RESAMPLES = 2_000
_GROUPS = 200
_WEIGHTS_AT_ONCE = 2_000_000  # bounds the memory: 16 MB of weights
_UNDEFINED = 0.1
_NO_SPREAD = 1e-12

Weighed = Callable[[Floats], Mapping[str, Figure]]


@dataclass(frozen=True, slots=True)
class Resampled:
    """A figure with its resampled values.

    Attributes:
        value: None where it is not defined.
        resampled: in the order of the draws, shape (resamples,); equal seeds and clusters draw the same rows, so that
            the values of two runs on the same rows are paired.
        without: its values without each group of rows, shape (g,).
        rows, hits: as in `Figure`.
        units: what was drawn.
    """

    value: float | None
    resampled: Floats
    without: Floats
    rows: int
    hits: int | None
    units: int
    is_of_rows: bool

    @property
    def estimate(self) -> Estimate | None:
        """None when it is not defined, or the rows are too few for an interval."""
        if self.value is None or self.rows == 0:
            return None
        if self.hits is not None and self.is_of_rows:
            return ExactProportion(self.hits, self.rows)
        return _estimate(self.value, self.resampled, self.without, self.rows, self.units)


def resampled(
    figures: Weighed, clusters: Sequence[Hashable], *, seed: int, resamples: int = RESAMPLES
) -> dict[str, Resampled]:
    """Each figure of some rows with its resamples.

    Args:
        clusters: what rows share, one per row, n >= 1; rows that share nothing have a value each.
    """
    number = {cluster: place for place, cluster in enumerate(dict.fromkeys(clusters))}
    unit_of = np.array([number[cluster] for cluster in clusters], dtype=np.int64)
    units = len(number)
    plain = figures(np.ones((1, len(unit_of))))
    drawn = _gathered(figures, (each[:, unit_of] for each in _draws(units, seed, resamples)), plain)
    without = _gathered(figures, (each[:, unit_of] for each in _groups(units)), plain)
    return {
        name: Resampled(
            _defined(float(figure.values[0])),
            drawn[name],
            without[name],
            figure.rows,
            figure.hits,
            units,
            units == len(unit_of),
        )
        for name, figure in plain.items()
    }


def difference(candidate: Resampled, baseline: Resampled) -> Estimate | None:
    """Candidate minus baseline, on the same rows with the same clusters and seed; None when it is not defined."""
    if candidate.value is None or baseline.value is None or candidate.units != baseline.units:
        return None
    return _estimate(
        candidate.value - baseline.value,
        candidate.resampled - baseline.resampled,
        candidate.without - baseline.without,
        min(candidate.rows, baseline.rows),
        candidate.units,
        span=Span(-1.0, 1.0),
    )


def _estimate(
    value: float, drawn: Floats, without: Floats, rows: int, units: int, span: Span | None = None
) -> Estimate | None:
    kept = np.sort(drawn[np.isfinite(drawn)])
    if len(kept) < (1.0 - _UNDEFINED) * len(drawn):
        return None
    known = span or (Span(0.0, 1.0) if kept[0] >= 0.0 and kept[-1] <= 1.0 else None)
    unseen = Unseen(value, min(rows, units), known or _wide(value))
    if units < 2 or kept[-1] - kept[0] <= _NO_SPREAD * max(1.0, abs(value)):
        return NoSpread(rows, unseen)
    found = ResampledFigure(value, rows, units, kept, _acceleration(without[np.isfinite(without)]))
    return found if known is None else Guarded(found, unseen)


def _wide(value: float) -> Span:
    return Span(min(0.0, 2.0 * value), max(0.0, 2.0 * value), is_known=False)


def _acceleration(without: Floats) -> float:
    moved = without.mean() - without if len(without) else without
    spread = float((moved**2).sum())
    return float((moved**3).sum()) / (6.0 * spread**1.5) if spread > 0.0 else 0.0


def _gathered(figures: Weighed, weights: Iterator[Floats], plain: Mapping[str, Figure]) -> dict[str, Floats]:
    """A figure that some weights do not have is not defined there."""
    parts: dict[str, list[Floats]] = {name: [] for name in plain}
    for each in weights:
        found = figures(each)
        for name, part in parts.items():
            part.append(found[name].values if name in found else np.full(len(each), np.nan))
    return {name: np.concatenate(part) for name, part in parts.items()}


def _draws(units: int, seed: int, resamples: int) -> Iterator[Floats]:
    """How often each unit was drawn, some resamples at a time, shape (b, units)."""
    rng = np.random.default_rng(seed)
    at_once = max(1, _WEIGHTS_AT_ONCE // units)
    for start in range(0, resamples, at_once):
        count = min(at_once, resamples - start)
        drawn = rng.integers(units, size=(count, units)) + units * np.arange(count)[:, None]
        yield np.bincount(drawn.ravel(), minlength=count * units).reshape(count, units).astype(np.float64)


def _groups(units: int) -> Iterator[Floats]:
    group: NDArray[np.int64] = np.arange(units) * min(units, _GROUPS) // units
    at_once = max(1, _WEIGHTS_AT_ONCE // units)
    for start in range(0, int(group[-1]) + 1, at_once):
        left_out = np.arange(start, min(start + at_once, int(group[-1]) + 1))
        yield (group[None, :] != left_out[:, None]).astype(np.float64)


def _defined(value: float) -> float | None:
    return value if np.isfinite(value) else None
