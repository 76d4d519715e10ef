from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.statistics.paired import (
    PairedProportions,
    compare,
    mcnemar_exact,
    mcnemar_mid_p,
    sign_test,
)
from opsloop.evaluation.statistics.unconditional import exact_p, paired_score


def test_the_score_interval_equals_the_published_one_of_airway_hyper_responsiveness() -> None:
    # M. W. Fagerland et al., Statistical Analysis of Contingency Tables (2017), chapter 8: 1 and 7 of 21.
    found = PairedProportions(higher=1, lower=7, rows=21).interval(0.95)
    assert (found.low, found.high) == pytest.approx((-0.517, -0.026), abs=0.0006)


def test_the_score_interval_equals_that_of_the_r_package_propcis() -> None:
    # PropCIs 0.3-0: scoreci.mp(25, 28, 618, conf.level = 0.90) gives -0.0148 to 0.0247 for (28 - 25) / 618.
    found = PairedProportions(higher=28, lower=25, rows=618).interval(0.90)
    assert (found.low, found.high) == pytest.approx((-0.0148, 0.0247), abs=0.00006)


def test_at_no_difference_the_score_is_mcnemars() -> None:
    score = paired_score(np.float64(15), np.float64(5), 100, 0.0)
    assert float(score) == pytest.approx((15 - 5) / math.sqrt(20))
    # Beyond the rows of the exact test the p-value is that of the score.
    assert PairedProportions(600, 500, 30_000).p_at_most(0.0) == pytest.approx(0.5 * math.erfc(100 / math.sqrt(2_200)))


@given(higher=st.integers(0, 50), lower=st.integers(0, 50), same=st.integers(0, 500))
def test_the_score_interval_holds_the_difference_and_mirrors_itself(higher: int, lower: int, same: int) -> None:
    if higher + lower == 0:
        higher = 1
    rows = higher + lower + same
    found = PairedProportions(higher, lower, rows).interval(0.9)
    mirrored = PairedProportions(lower, higher, rows).interval(0.9)
    assert -1.0 <= found.low <= (higher - lower) / rows <= found.high <= 1.0
    assert found.low == pytest.approx(-mirrored.high, abs=1e-9)


def test_the_score_interval_covers_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for higher, lower, _ in rng.multinomial(80, [0.15, 0.05, 0.80], size=600).tolist():
        found = PairedProportions(higher, lower, 80).interval(0.9)
        covered += found.low <= 0.10 <= found.high
    assert 0.86 <= covered / 600 <= 0.94


def test_the_sign_test_ignores_equal_rows() -> None:
    assert sign_test([0.1, 0.2, 0.0, 0.3, 0.1, 0.0, 0.4, 0.2]) == pytest.approx(2 * 0.5**6)


def test_negative_counts_are_refused() -> None:
    with pytest.raises(InvalidInput, match="discordant rows"):
        mcnemar_exact(-1, 3)


def test_pass_or_fail_runs_are_compared_exactly() -> None:
    found = compare("correct", [1.0] * 18 + [0.0] * 2, [1.0] * 10 + [0.0] * 9 + [1.0])
    assert (found.higher, found.lower, found.same) == (8, 1, 11)
    assert found.difference == pytest.approx(0.35)
    assert found.p_value == pytest.approx(2 * (1 + 9) / 2**9)
    assert found.low < 0.35 < found.high
    assert found.method.startswith("exact McNemar")


def test_scores_are_compared_row_by_row() -> None:
    rng = np.random.default_rng(8)
    hardness = rng.random(60)
    baseline, candidate = 0.8 * hardness, 0.8 * hardness + 0.02 + rng.normal(0, 0.02, 60)
    found = compare("token_f1", candidate.tolist(), baseline.tolist())
    assert found.p_value < 0.001  # unpaired the two runs could not be told apart
    assert found.low > 0.0


def test_equal_score_runs_show_no_difference() -> None:
    found = compare("token_f1", [0.5, 0.7, 0.9], [0.5, 0.7, 0.9])
    assert (found.difference, found.p_value) == (0.0, 1.0)
    assert found.low < 0.0 < found.high


def test_a_difference_within_few_conversations_is_not_mistaken_for_one_over_many_rows() -> None:
    candidate, baseline = [1.0] * 40 + [0.0] * 40, [0.0] * 40 + [0.0] * 40
    conversations = [f"conversation-{row // 20}" for row in range(80)]
    assert compare("correct", candidate, baseline).p_value < 1e-6
    assert compare("correct", candidate, baseline, clusters=conversations).p_value > 0.05


def test_runs_of_different_length_are_refused() -> None:
    with pytest.raises(InvalidInput, match="metric correct, rows of baseline"):
        compare("correct", [1.0, 0.0], [1.0])


def test_runs_without_a_common_row_are_refused() -> None:
    with pytest.raises(InvalidInput, match="both runs measured"):
        compare("correct", [1.0, None], [None, 0.0])


@pytest.mark.parametrize(("higher", "lower"), [(1, 9), (4, 4), (0, 3), (12, 30)])
def test_mcnemars_tests_equal_scipys_binomial_test(higher: int, lower: int) -> None:
    exact = stats.binomtest(higher, higher + lower, 0.5).pvalue
    assert mcnemar_exact(higher, lower) == pytest.approx(exact)
    mid = exact - stats.binom.pmf(higher, higher + lower, 0.5) if higher != lower else 1.0
    assert mcnemar_mid_p(higher, lower) == pytest.approx(mid)


def test_rows_that_never_change_say_nothing_by_either_of_mcnemars_tests() -> None:
    assert mcnemar_exact(0, 0) == mcnemar_mid_p(0, 0) == 1.0


def passing_chance(rows: int, boundary: float, changed: float, alpha: float) -> float:
    """The chance that the exact test shows a difference above a boundary on which the truth lies."""
    up, down = (changed + boundary) / 2.0, (changed - boundary) / 2.0
    chances = stats.multinomial(rows, [up, down, 1.0 - up - down])
    return float(
        sum(
            chances.pmf([higher, lower, rows - higher - lower])
            for higher in range(rows + 1)
            for lower in range(rows + 1 - higher)
            if higher + lower and exact_p(higher, lower, rows, boundary) <= alpha
        )
    )


@pytest.mark.parametrize("boundary", [-0.05, 0.0, 0.05])
@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_the_exact_paired_test_never_errs_more_often_than_it_says(boundary: float, alpha: float) -> None:
    for changed in (abs(boundary) + 0.001, 0.1, 0.3):
        assert passing_chance(30, boundary, changed, alpha) <= alpha


def test_the_score_alone_would_err_more_often_where_few_rows_change() -> None:
    """Why the exact test is there: a loss of just 2 points, in 4 changing rows of 150, is called more in 9 of 100."""
    chances = stats.multinomial(150, [0.0035, 0.0235, 0.973])
    wrong = sum(
        chances.pmf([higher, lower, 150 - higher - lower])
        for higher in range(10)
        for lower in range(30)
        if higher + lower and paired_score(np.float64(higher), np.float64(lower), 150, -0.02) <= -1.6449
    )
    assert wrong > 0.08
