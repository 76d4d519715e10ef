"""Agreement, against published examples and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.evaluation.judges.agreement import Weights, agreement_weights, kappa_of, of_table
from opsloop.evaluation.judges.krippendorff import Level, Ratings, alpha, alpha_interval

# Fleiss, Cohen & Everitt 1969, table 1: 200 diagnoses in three categories.
DIAGNOSES = np.array([[106.0, 10.0, 4.0], [22.0, 28.0, 10.0], [2.0, 12.0, 6.0]])


def test_kappa_and_its_error_are_those_of_the_paper() -> None:
    found = of_table(DIAGNOSES, np.eye(3))
    assert found.value == pytest.approx(0.429, abs=5e-4)
    assert found.error is not None
    assert found.error**2 == pytest.approx(0.002885, abs=5e-7)


def test_weighted_kappa_and_its_error_are_those_of_the_paper() -> None:
    weights = np.array([[1.0, 0.0, 0.4444], [0.0, 1.0, 0.6667], [0.4444, 0.6667, 1.0]])
    found = of_table(DIAGNOSES, weights)
    assert found.error is not None
    assert found.error**2 == pytest.approx(0.003248, abs=5e-7)


@pytest.mark.parametrize(
    ("weights", "value", "variance"),
    [  # statsmodels 0.15, cohens_kappa(table, wt=None, "linear", "quadratic")
        (Weights.NONE, 0.4285714285714285, 0.0028848720440557184),
        (Weights.LINEAR, 0.4923076923076922, 0.0025723771576625495),
        (Weights.QUADRATIC, 0.5666666666666667, 0.0030987414266117953),
    ],
)
def test_kappa_is_that_of_statsmodels(weights: Weights, value: float, variance: float) -> None:
    found = of_table(DIAGNOSES, agreement_weights([1, 2, 3], weights), weights)
    assert found.value == pytest.approx(value)
    assert found.error is not None
    assert found.error**2 == pytest.approx(variance)
    assert found.low is not None
    assert found.low == pytest.approx(value - 1.959963985 * variance**0.5)


def test_full_agreement_leaves_room_for_the_unseen() -> None:
    found = kappa_of([0, 1] * 25, [0, 1] * 25)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(1 - 2 * (1 - 0.025 ** (1 / 50)))


def test_raters_who_know_one_category_show_nothing() -> None:
    assert kappa_of([1, 1], [1, 1]).value is None


RATERS: list[list[float | None]] = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
ROWS: Ratings = list(zip(*RATERS, strict=True))


@pytest.mark.parametrize(("level", "value"), [(Level.NOMINAL, 0.743), (Level.ORDINAL, 0.815), (Level.INTERVAL, 0.849)])
def test_alpha_is_that_of_krippendorffs_example(level: Level, value: float) -> None:
    # Krippendorff 2011, example D: four observers, twelve units, missing values.
    assert alpha(ROWS, level) == pytest.approx(value, abs=5e-4)


def test_alpha_of_two_observers_is_that_of_the_first_example() -> None:
    # Krippendorff 2011, example A: binary data, two observers, no missing values: 0.095.
    meg = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    owen = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert alpha(list(zip(meg, owen, strict=True)), Level.NOMINAL) == pytest.approx(0.095, abs=5e-4)


def test_ratings_that_nothing_can_be_compared_with_say_nothing() -> None:
    assert alpha([[1, None], [None, 2]], Level.NOMINAL) is None
    assert alpha([[1, 1], [1, 1]], Level.NOMINAL) is None
    assert alpha_interval([[1, None]], Level.NOMINAL) is None


@given(st.permutations(range(4)))
def test_the_order_of_raters_does_not_matter(order: list[int]) -> None:
    shuffled = [[row[place] for place in order] for row in ROWS]
    assert alpha(shuffled, Level.ORDINAL) == pytest.approx(alpha(ROWS, Level.ORDINAL))


def raters(rng: np.random.Generator, rows: int, agree: float) -> tuple[list[int], list[int]]:
    """Two raters of two equally frequent categories, the second says the same with chance `agree`."""
    first = rng.integers(2, size=rows)
    second = np.where(rng.random(rows) < agree, first, 1 - first)
    return first.tolist(), second.tolist()


def test_the_intervals_cover_as_they_say() -> None:
    # Kappa and alpha of the population are 2 * 0.85 - 1. Monte-Carlo error of 300 draws at 0.95: 0.0126 a deviation.
    rng = np.random.default_rng(2)
    kappas = alphas = 0
    for _ in range(300):
        first, second = raters(rng, 100, 0.85)
        kappa = kappa_of(first, second)
        assert kappa.low is not None
        assert kappa.high is not None
        kappas += kappa.low <= 0.7 <= kappa.high
        found = alpha_interval(list(zip(first, second, strict=True)), Level.NOMINAL, resamples=400)
        assert found is not None
        alphas += found.low <= 0.7 <= found.high
    assert 0.91 < kappas / 300 < 0.985
    assert 0.91 < alphas / 300 < 0.985
