"""What the promise rests on: every factor has a mean of at most 1 while nothing has changed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from opsloop.monitoring.drift.bets import bets_of, e_values, radii_of, radius_of
from opsloop.monitoring.drift.columns import category_column, number_column
from opsloop.monitoring.drift.detector import Detector
from opsloop.monitoring.drift.fitting import fit
from opsloop.monitoring.drift.options import DriftOptions

values = st.one_of(
    st.floats(-1e6, 1e6), st.integers(0, 3).map(float), st.just(math.nan), st.just(math.inf), st.just(-0.0)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(values, min_size=30, max_size=200))
def test_over_the_reference_no_bet_on_any_column_wins(listed: list[float]) -> None:
    column = number_column("x", np.array(listed))
    assert column.counts.sum() == len(listed)
    _, ratios = bets_of(column)
    factors = e_values(ratios, column.counts, radius_of(len(listed), 1, 0.0))
    assert (factors @ column.counts / len(listed)).max() <= 1.0 + 1e-12
    assert (factors > 0).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=30, max_size=100))
def test_over_the_reference_no_bet_on_any_category_wins(listed: list[str | None]) -> None:
    column = category_column("x", listed)
    assert column.counts.sum() == len(listed)
    _, ratios = bets_of(column)
    factors = e_values(ratios, column.counts, radius_of(len(listed), 1, 0.0))
    assert (factors @ column.counts / len(listed)).max() <= 1.0 + 1e-12


@pytest.mark.parametrize("shift", [-0.05, 0.05])
def test_a_change_within_the_tolerance_lets_no_bet_win(shift: float) -> None:
    known = number_column("x", np.random.default_rng(0).standard_normal(100_000))
    _, ratios = bets_of(known)
    factors = e_values(ratios, known.counts, radius_of(100_000, 1, tolerance=0.06))
    later = known.bins(np.random.default_rng(1).standard_normal(100_000) + shift)
    assert factors[:, later].mean(axis=1).max() <= 1.0


def test_rows_never_seen_in_fitting_let_no_bet_win() -> None:
    """At 40 references of 1,000 rows and 20,000 fresh rows each; 1 % of references may break it."""
    broken = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        known = number_column("x", random.gamma(2.0, size=1000))
        _, ratios = bets_of(known)
        factors = e_values(ratios, known.counts, radius_of(1000, 1, 0.0))
        true = np.bincount(known.bins(random.gamma(2.0, size=20_000)), minlength=len(known.counts)) / 20_000
        sd = np.sqrt(np.maximum(factors**2 @ true - (factors @ true) ** 2, 0.0) / 20_000)
        broken += bool((factors @ true > 1.0 + 4.0 * sd).any())
    assert broken <= 3


@pytest.mark.parametrize("labels", [3, 50])
def test_labels_that_chance_made_rare_let_no_bet_win(labels: int) -> None:
    """Labels of equal shares: which of them look rare in the reference is chance alone, and does not come back."""
    broken = 0
    for seed in range(40):
        shown = np.random.default_rng(seed).integers(0, labels, 1000).astype(str)
        known = category_column("x", shown.tolist(), [str(label) for label in range(labels)])
        bets, ratios = bets_of(known)
        factors = e_values(ratios, known.counts, radii_of(bets, 1000, 1, 0.0))
        broken += bool(factors[:, :labels].mean(axis=1).max() > 1.0)
    assert broken <= 1


def test_the_evidence_is_the_sum_over_all_starts() -> None:
    """R against its definition: for each start the product of the factors since, added up."""
    random = np.random.default_rng(2)
    known = fit(random.standard_normal((500, 2)), None, ("x", "y"), DriftOptions(block="row"))
    detector = Detector(known)
    X = random.standard_normal((40, 2))
    factors = detector.sums.factors(detector._lookup.tokens(X, ()))
    detector.update(X, (), 0.0)
    brute = sum(factors[start:].prod(axis=0) for start in range(40))
    np.testing.assert_allclose(detector.evidence, brute, rtol=1e-12)
    total = float(brute @ known.tables.weights)
    assert detector.score == pytest.approx(max(0.0, math.log(total) / math.log(known.threshold)))


def test_runs_without_change_last_as_long_as_was_set_on_average() -> None:
    """Mean run length against the set one, 200 rows; censoring at 1,000 rows only makes the mean smaller."""
    lengths = []
    for seed in range(30):
        random = np.random.default_rng(seed)
        known = fit(random.standard_normal((400, 2)), None, ("x", "y"), DriftOptions(false_alarms_every=200.0))
        detector = Detector(known)
        detector.update(random.standard_normal((1000, 2)), (), 0.0)
        lengths.append(detector.alarmed_at or 1000)
    assert np.mean(lengths) >= 200.0


def test_normal_scores_are_those_of_ranks() -> None:
    sample = np.random.default_rng(3).standard_normal(20_000)
    column = number_column("x", sample)
    fresh = np.linspace(-2, 2, 41)
    np.testing.assert_allclose(column.scores[column.bins(fresh)], stats.norm.ppf(stats.norm.cdf(fresh)), atol=0.2)
    assert column.counts @ column.scores == pytest.approx(0.0, abs=1e-6)
    assert column.counts @ column.scores**2 / 20_000 == pytest.approx(1.0)


def test_a_bin_holds_what_python_finds_and_what_numpy_finds() -> None:
    random = np.random.default_rng(4)
    sample = np.where(random.random(1000) < 0.3, 0.0, random.lognormal(size=1000))
    known = fit(sample[:, None], None, ("x",), DriftOptions(block="row"))
    one, many = Detector(known), Detector(known)
    X = np.array([0.0, -0.0, 1e308, -1e308, math.nan, 0.5, sample.max(), sample.min(), 5e-324])[:, None]
    for row in X:
        one.update(row[None, :], (), 0.0)
    many.update(X, (), 0.0)
    assert one.sums.pending == many.sums.pending


def test_a_bet_with_nothing_to_bet_on_gathers_no_evidence() -> None:
    """Its factor would be 1, and its sum over starts would grow by 1 a row up to any threshold."""
    X = np.column_stack([np.full(3000, 7.0), np.random.default_rng(5).standard_normal(3000)])
    known = fit(X, None, ("constant", "x"), DriftOptions(block="row"))
    detector = Detector(known)
    for seed in range(4):
        fresh = np.column_stack([np.full(3000, 7.0), np.random.default_rng(seed).standard_normal(3000)])
        detector.update(fresh, (), 0.0)
    assert detector.evidence[[0 in subject for subject in known.tables.subjects]].max() <= 260.0
    assert detector.score < 0.5
