"""Intervals and exact tests against SciPy 1.17.1 (`stats.binomtest`, `stats.binom`)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.statistics import intervals
from opsloop.evaluation.statistics.intervals import ExactProportion
from opsloop.evaluation.statistics.paired import mcnemar_exact


@pytest.mark.parametrize(
    ("successes", "rows", "low", "high"),
    [
        (0, 10, 0.0, 0.30849710781876294),
        (3, 10, 0.06673951117773447, 0.652452850060008),
        (81, 263, 0.25273674558504267, 0.36762192260134746),
        (5, 5, 0.47817624989501856, 1.0),
        (870, 1000, 0.8475635053995471, 0.8902306875462959),
        (9990, 10000, 0.9981617358657504, 0.9995203602762358),
    ],
)
def test_clopper_pearson_equals_scipys_exact_interval(successes: int, rows: int, low: float, high: float) -> None:
    found = intervals.clopper_pearson(successes, rows)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-10)


@pytest.mark.parametrize(
    ("successes", "rows", "low", "high"),
    [
        (0, 10, 0.0, 0.27753279986288926),
        (3, 10, 0.10779126740630102, 0.6032218525388546),
        (81, 263, 0.2552885198782742, 0.36620957698280004),
        (5, 5, 0.5655175352168251, 1.0),
        (9990, 10000, 0.9981600556125619, 0.9994567140135028),
    ],
)
def test_wilson_equals_scipys_wilson_interval(successes: int, rows: int, low: float, high: float) -> None:
    found = intervals.wilson(successes, rows)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-10)


def test_binomial_tails_equal_scipys() -> None:
    assert ExactProportion(45, 50).p_at_most(0.8) == pytest.approx(0.04802721937073359, rel=1e-10)
    assert ExactProportion(30, 50).p_at_least(0.8) == pytest.approx(0.0009324364894211211, rel=1e-10)


@pytest.mark.parametrize(
    ("higher", "lower", "p_value"), [(10, 3, 0.09228515625), (0, 6, 0.03125), (7, 7, 1.0), (1, 0, 1.0), (0, 0, 1.0)]
)
def test_mcnemar_equals_scipys_binomtest_of_the_discordant_rows(higher: int, lower: int, p_value: float) -> None:
    assert mcnemar_exact(higher, lower) == pytest.approx(p_value, rel=1e-12)


@given(rows=st.integers(1, 5_000), data=st.data())
def test_the_exact_interval_contains_the_share_and_mirrors_itself(rows: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, rows))
    found, mirrored = intervals.clopper_pearson(successes, rows), intervals.clopper_pearson(rows - successes, rows)
    assert 0.0 <= found.low <= successes / rows <= found.high <= 1.0
    assert found.low == pytest.approx(1.0 - mirrored.high, abs=1e-9)


@pytest.mark.parametrize("rate", [0.02, 0.3, 0.9])
def test_the_exact_interval_covers_at_least_as_often_as_it_says(rate: float) -> None:
    rows = 60
    covered = 0.0
    for successes in range(rows + 1):
        found = intervals.clopper_pearson(successes, rows)
        chance = math.comb(rows, successes) * rate**successes * (1 - rate) ** (rows - successes)
        covered += chance * (found.low <= rate <= found.high)
    assert 0.95 <= covered <= 1.0


@pytest.mark.parametrize(
    ("successes", "rows", "confidence", "field"),
    [(1, 0, 0.95, "rows"), (4, 3, 0.95, "successes"), (-1, 3, 0.95, "successes"), (1, 3, 1.0, "confidence")],
)
def test_impossible_counts_are_refused_by_name(successes: int, rows: int, confidence: float, field: str) -> None:
    for interval in (intervals.wilson, intervals.clopper_pearson):
        with pytest.raises(InvalidInput, match=field):
            interval(successes, rows, confidence)


def test_a_boundary_outside_zero_to_one_is_never_reached() -> None:
    found = ExactProportion(10, 10)
    assert found.p_at_least(1.2) == 0.0
    assert found.p_at_most(1.2) == 1.0
    assert found.p_at_most(-0.1) == 0.0


def test_all_passing_rows_need_59_to_show_at_least_95_percent() -> None:
    assert ExactProportion(20, 20).rows_to_clear(0.95, 0.05) == 59  # 0.95^59 < 0.05 < 0.95^58


def test_a_share_on_the_boundary_is_never_decided() -> None:
    assert ExactProportion(8, 10).rows_to_clear(0.8, 0.05) is None


@pytest.mark.parametrize("rows", [20, 60, 200])
def test_wilsons_interval_covers_as_often_as_it_says_on_average(rows: int) -> None:
    """Added up exactly over all outcomes, for 60 rates from 5 to 95 %."""
    found = [intervals.wilson(successes, rows) for successes in range(rows + 1)]
    coverages = []
    for rate in [0.05 + 0.9 * step / 59 for step in range(60)]:
        chances = stats.binom.pmf(range(rows + 1), rows, rate)
        coverages.append(sum(chances[k] for k, each in enumerate(found) if each.low <= rate <= each.high))
    assert sum(coverages) / 60 == pytest.approx(0.95, abs=0.01)
    assert min(coverages) > 0.88
