"""Intervals of figures of all rows: against known distributions, and their coverage by simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from opsloop.evaluation.evaluators import abstention, classification
from opsloop.evaluation.statistics.bootstrap import mean_of
from opsloop.evaluation.statistics.figure import Figure
from opsloop.evaluation.statistics.intervals import ExactProportion
from opsloop.evaluation.statistics.resampled import Resampled, Weighed, difference, resampled
from opsloop.evaluation.statistics.rows import Floats, Span


def mean(values: Floats) -> Weighed:
    return lambda weights: {"mean": Figure(weights @ values / weights.sum(axis=1), len(values))}


def of(figures: Any, parts: Sequence[Any], *, seed: int = 1, resamples: int = 2_000) -> Mapping[str, Resampled]:
    return resampled(lambda weights: figures(parts, weights), range(len(parts)), seed=seed, resamples=resamples)


def test_the_figure_that_is_a_mean_has_the_interval_of_the_mean() -> None:
    values = np.random.default_rng(3).gamma(1.0, size=80)
    found = resampled(mean(values), range(80), seed=1, resamples=10_000)["mean"].estimate
    assert found is not None
    ours = found.interval(0.95)
    theirs = mean_of(values, None, span=Span(0.0, 1.0)).interval(0.95)
    assert [ours.low, ours.high] == pytest.approx([theirs.low, theirs.high], abs=0.02)


def test_clusters_are_drawn_whole() -> None:
    values = np.repeat(np.random.default_rng(3).normal(size=20), 10)
    alone = resampled(mean(values), range(200), seed=1)["mean"].estimate
    together = resampled(mean(values), [row // 10 for row in range(200)], seed=1)["mean"].estimate
    assert alone is not None
    assert together is not None
    widths = [each.interval(0.95).high - each.interval(0.95).low for each in (alone, together)]
    assert widths[1] > 2.5 * widths[0]


def test_a_share_of_independent_rows_is_tested_exactly() -> None:
    parts = [["a", "a"]] * 9 + [["a", "b"]] + [["b", "b"]] * 90
    recall = of(classification.figures, parts)["recall.a"]
    assert recall.estimate == ExactProportion(9, 10)


def test_rows_that_are_all_right_leave_room_for_the_unseen() -> None:
    estimate = of(classification.figures, [["a", "a"], ["b", "b"]] * 20)["macro_f1"].estimate
    assert estimate is not None
    assert estimate.interval(0.95).low == pytest.approx(0.025 ** (1 / 40))


def test_a_figure_without_value_has_no_estimate() -> None:
    assert of(classification.figures, [["a", "b"], ["b", "b"]])["precision.a"].estimate is None


def test_a_figure_that_most_resamples_lose_has_no_interval() -> None:
    parts = [[True, False, 0.5 + row / 100] for row in range(20)] + [[False, True, 0.2]]
    auroc = of(abstention.figures, parts)["auroc"]
    assert auroc.value == 1.0
    assert auroc.estimate is None


def test_two_runs_on_the_same_rows_are_compared_row_by_row() -> None:
    rng = np.random.default_rng(5)
    truths = rng.choice(["a", "b"], size=300)
    worse = [[true, true if rng.random() < 0.9 else "b"] for true in truths]
    same = [[true, found if rng.random() < 0.98 else true] for true, found in worse]
    paired = difference(of(classification.figures, worse)["macro_f1"], of(classification.figures, same)["macro_f1"])
    alone = of(classification.figures, worse)["macro_f1"].estimate
    assert paired is not None
    assert alone is not None
    widths = [each.interval(0.95).high - each.interval(0.95).low for each in (paired, alone)]
    assert widths[0] < 0.75 * widths[1]


SIMULATIONS = 300


def coverage(draw: Any, figures: Any, name: str, truth: float) -> float:
    rng = np.random.default_rng(11)
    covered = 0
    for seed in range(SIMULATIONS):
        estimate = of(figures, draw(rng), seed=seed, resamples=400)[name].estimate
        assert estimate is not None
        interval = estimate.interval(0.90)
        covered += interval.low <= truth <= interval.high
    return covered / SIMULATIONS


def labels(rng: np.random.Generator) -> list[list[str]]:
    """120 rows, 40 % of class a, recall 0.8 of both classes."""
    true = rng.random(120) < 0.4
    found = np.where(rng.random(120) < 0.8, true, ~true)
    return [["a" if one else "b", "a" if other else "b"] for one, other in zip(true, found, strict=True)]


def confidences(rng: np.random.Generator) -> list[list[Any]]:
    """120 rows whose confidence is normal, one deviation higher for those with an answer: area 0.760."""
    answerable = rng.random(120) < 0.7
    sure = rng.normal(size=120) + answerable
    return [[bool(one), not one, float(other)] for one, other in zip(answerable, sure, strict=True)]


def test_the_interval_of_an_f1_covers_as_it_says() -> None:
    # F1 of a: 2 * 0.32 / (0.4 + 0.44). Monte-Carlo error of 300 draws at 0.90: 0.017 a deviation.
    assert 0.85 < coverage(labels, classification.figures, "f1.a", 0.64 / 0.84) < 0.95


def test_the_interval_of_an_auroc_covers_as_it_says() -> None:
    assert 0.85 < coverage(confidences, abstention.figures, "auroc", 0.7602499389) < 0.95
