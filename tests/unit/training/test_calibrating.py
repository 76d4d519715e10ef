"""Intervals hold as often as they say, on simulated rows, within what chance allows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from opsloop.models.conformal import Conformal, Scores, class_scores
from opsloop.training.calibrating import calibrated, kept, scale_of
from opsloop.training.measures import Predicted
from opsloop.training.pipeline import Intervals
from opsloop.training.table import Array

ROWS, REPEATS, NEW = 99, 400, 200


def noisy(random: np.random.Generator, rows: int) -> tuple[Array, Array]:
    """Predictions, and the truth around them: the larger, the farther off."""
    predictions = random.uniform(0.0, 10.0, rows)
    return predictions, predictions + random.normal(size=rows) * (0.2 + predictions)


def labelled(random: np.random.Generator, rows: int) -> tuple[Array, Array]:
    """Probabilities of three classes that say too much, and the labels."""
    true = random.dirichlet([1.0, 1.0, 0.3], rows)
    codes = (true.cumsum(axis=1) < random.uniform(size=(rows, 1))).sum(axis=1).clip(0, 2)
    sharp = true**2
    return sharp / sharp.sum(axis=1, keepdims=True), codes


@pytest.mark.parametrize("method", ["absolute", "normalised"])
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_intervals_of_numbers_hold_as_often_as_they_say(method: str, alpha: float) -> None:
    random = np.random.default_rng(1)
    predictions, y = noisy(random, 500)
    scale = scale_of(y, predictions) if method == "normalised" else None
    shares = []
    for _ in range(REPEATS):
        predictions, y = noisy(random, ROWS)
        made = calibrated(Intervals((), method), y, Predicted(predictions), calibrated_on="held_out", scale=scale)
        predictions, y = noisy(random, NEW)
        low, high = made.interval(predictions, alpha)
        shares.append(np.mean((low <= y) & (y <= high)))
    error = np.std(shares) / math.sqrt(REPEATS)
    assert abs(np.mean(shares) - (1 - alpha)) < 4 * error


@pytest.mark.parametrize("method", ["lac", "aps"])
def test_sets_of_labels_hold_at_least_as_often_as_they_say(method: str) -> None:
    random = np.random.default_rng(2)
    shares, sizes = [], []
    for _ in range(REPEATS):
        probabilities, codes = labelled(random, ROWS)
        said = Predicted(probabilities.argmax(axis=1), probabilities)
        made = calibrated(Intervals((), method), codes, said, calibrated_on="held_out", classes=np.arange(3))
        probabilities, codes = labelled(random, NEW)
        sets = made.sets(probabilities, 0.1)
        shares.append(np.mean(sets[np.arange(NEW), codes]))
        sizes.append(sets.sum(axis=1).mean())
    error = np.std(shares) / math.sqrt(REPEATS)
    assert np.mean(shares) > 0.9 - 4 * error
    assert np.mean(sizes) < 2.5


def test_by_class_every_class_is_covered_for_itself() -> None:
    random = np.random.default_rng(3)
    rare_whole: list[float] = []
    rare_by_class: list[float] = []
    for _ in range(100):
        probabilities, codes = labelled(random, 500)
        said = Predicted(probabilities.argmax(axis=1), probabilities)
        new, truth = labelled(random, 500)
        is_rare = truth == 2
        for by_class, shares in ((False, rare_whole), (True, rare_by_class)):
            intervals = Intervals((), "lac", by_class)
            made = calibrated(intervals, codes, said, calibrated_on="held_out", classes=np.arange(3))
            shares.append(made.sets(new, 0.1)[is_rare, 2].mean())
    assert np.mean(rare_whole) < 0.88
    assert np.mean(rare_by_class) > 0.89


def test_normalised_intervals_are_as_wide_as_the_errors_are_there() -> None:
    random = np.random.default_rng(4)
    predictions, y = noisy(random, 1_000)
    scale = scale_of(y, predictions)
    made = calibrated(Intervals((), "normalised"), y, Predicted(predictions), calibrated_on="held_out", scale=scale)
    low, high = made.interval(np.array([1.0, 9.0]), 0.1)
    assert (high - low)[1] > 3 * (high - low)[0]


def test_coverage_is_told_of_rows_that_did_not_calibrate() -> None:
    predictions, y = noisy(np.random.default_rng(5), 2_000)
    made = calibrated(Intervals((0.1, 0.5)), y, Predicted(predictions), calibrated_on="held_out")
    assert [each.alpha for each in made.coverage] == [0.1, 0.5]
    assert [each.coverage for each in made.coverage] == pytest.approx([0.9, 0.5], abs=0.03)
    wide, narrow = (each.size for each in made.coverage)
    assert wide is not None
    assert narrow is not None
    assert wide > narrow


def test_too_few_rows_for_a_small_alpha_make_infinite_intervals() -> None:
    made = Conformal("absolute", "held_out", Scores(9, tuple(np.arange(1.0, 10.0).tolist())))
    assert made.interval(np.array([0.0]), 0.1)[1].tolist() == [9.0]
    assert made.interval(np.array([0.0]), 0.05)[1].tolist() == [math.inf]


def test_of_many_scores_few_are_kept_and_bounds_are_never_too_narrow() -> None:
    scores = np.random.default_rng(6).exponential(size=50_000)
    few, all_of_them = kept(scores), Scores(len(scores), tuple(np.sort(scores).tolist()))
    assert len(few.values) <= 2_000
    for alpha in (0.3, 0.1, 0.05, 0.01, 0.001):
        exact = all_of_them.bound(alpha)
        assert exact <= few.bound(alpha) <= exact * 1.05


def test_scores_of_labels_by_hand() -> None:
    probabilities = np.array([[0.5, 0.2, 0.3]])
    assert class_scores(probabilities, "lac").tolist() == [[0.5, 0.8, 0.7]]
    assert class_scores(probabilities, "aps") == pytest.approx(np.array([[0.5, 1.0, 0.8]]))


def test_what_is_kept_can_be_read_again() -> None:
    predictions, y = noisy(np.random.default_rng(7), 300)
    made = calibrated(
        Intervals(), y, Predicted(predictions), calibrated_on="held_out", scale=scale_of(y, predictions), note="…"
    )
    assert Conformal.from_json(made.to_json()) == made
