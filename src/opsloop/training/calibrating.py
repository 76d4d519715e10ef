"""Conformal intervals of a trained model: its scores on rows that it did not learn from, and how well they hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from opsloop.models.conformal import Conformal, Coverage, Scale, Scores, class_scores
from opsloop.training.measures import Predicted
from opsloop.training.pipeline import Intervals
from opsloop.training.table import Array

KEPT = 2_000
"""Most scores that are kept; of more, every so many one, and all of the largest."""
BINS = 10


def calibrated(
    intervals: Intervals,
    y: Array,
    predicted: Predicted,
    *,
    calibrated_on: str,
    classes: Array | None = None,
    scale: Scale | None = None,
    seed: int = 0,
    note: str = "",
) -> Conformal:
    """Args:
    y: the truth of the calibration rows.
    scale: usual errors, learned from other rows; None: all predictions are as far off.
    """
    method = intervals.method or ("absolute" if classes is None else "lac")
    codes = None if classes is None else np.searchsorted(classes, y)
    found = _calibrated(method, intervals, y, codes, predicted, calibrated_on, scale, note)
    return replace(found, coverage=tuple(_coverages(found, intervals, y, codes, predicted, seed)))


def scale_of(y: Array, predictions: Array) -> Scale | None:
    """The usual error by the prediction, from predictions of models that had not learned from these rows.

    None when there are too few rows for a curve.
    """
    errors = np.abs(y - predictions)
    bins = min(BINS, len(y) // 20)
    if bins < 2 or not errors.any():
        return None
    parts = np.array_split(np.argsort(predictions, kind="stable"), bins)
    at = np.array([predictions[part].mean() for part in parts])
    means = np.maximum([errors[part].mean() for part in parts], 0.1 * errors.mean())
    distinct = np.concatenate(([True], np.diff(at) > 0))
    return Scale(tuple(at[distinct].tolist()), tuple(means[distinct].tolist()))


def kept(scores: Array) -> Scores:
    """Few enough scores to keep that every bound is at most a little too wide, never too narrow."""
    ordered = np.sort(scores)
    count = len(ordered)
    if count <= KEPT:
        return Scores(count, tuple(ordered.tolist()))
    spread = np.linspace(1, count, KEPT - KEPT // 4).round().astype(int)
    ranks = np.union1d(spread, np.arange(count - KEPT // 4 + 1, count + 1))
    return Scores(count, tuple(ordered[ranks - 1].tolist()), tuple(ranks.tolist()))


def _calibrated(
    method: str,
    intervals: Intervals,
    y: Array,
    codes: Array | None,
    predicted: Predicted,
    calibrated_on: str,
    scale: Scale | None,
    note: str,
) -> Conformal:
    if codes is None:
        used = scale if method == "normalised" else None
        errors = np.abs(y - predicted.values)
        scores = errors if used is None else errors / used.of(predicted.values)
        return Conformal("absolute" if used is None else method, calibrated_on, kept(scores), used, note=note)
    assert predicted.probabilities is not None
    scores = class_scores(predicted.probabilities, method)[np.arange(len(codes)), codes]
    each: Sequence[Scores] = ()
    if intervals.by_class:
        each = [kept(scores[codes == place]) for place in range(predicted.probabilities.shape[1])]
    return Conformal(method, calibrated_on, kept(scores), by_class=tuple(each), note=note)


def _coverages(
    whole: Conformal, intervals: Intervals, y: Array, codes: Array | None, predicted: Predicted, seed: int
) -> list[Coverage]:
    """Each half of the rows calibrates intervals for the other: on its own rows coverage would say nothing."""
    order = np.random.default_rng(seed).permutation(len(y))
    halves = order[: len(y) // 2], order[len(y) // 2 :]
    if not len(halves[0]):
        return []
    found = []
    for alpha in intervals.alphas:
        covered, sizes = 0.0, 0.0
        for calibrate, look in (halves, halves[::-1]):
            made = _calibrated(
                whole.method,
                intervals,
                y[calibrate],
                None if codes is None else codes[calibrate],
                predicted.kept(calibrate),
                whole.calibrated_on,
                whole.scale,
                "",
            )
            holds, widths = _held(made, y[look], None if codes is None else codes[look], predicted.kept(look), alpha)
            covered += float(holds.sum())
            sizes += float(widths.sum())
        size = sizes / len(y) if math.isfinite(sizes) else None
        found.append(Coverage(alpha, covered / len(y), size, len(y)))
    return found


def _held(made: Conformal, y: Array, codes: Array | None, predicted: Predicted, alpha: float) -> tuple[Array, Array]:
    if codes is None:
        low, high = made.interval(predicted.values, alpha)
        return (low <= y) & (y <= high), high - low
    assert predicted.probabilities is not None
    sets = made.sets(predicted.probabilities, alpha)
    return sets[np.arange(len(codes)), codes], sets.sum(axis=1)
