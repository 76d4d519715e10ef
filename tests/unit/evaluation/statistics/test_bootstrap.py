from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.statistics.bootstrap import BootstrappedMean, mean_interval, mean_of
from opsloop.evaluation.statistics.distributions import normal_cdf
from opsloop.evaluation.statistics.rows import Span
from opsloop.evaluation.statistics.saddlepoint import resampled_score
from opsloop.evaluation.statistics.unseen import Guarded

FloatArray = NDArray[np.float64]
UNIT = Span(0.0, 1.0)
SCORES = [0.1, 0.4, 0.35, 0.8, 0.95, 0.2, 0.6, 0.55, 0.7, 0.05, 0.3, 0.9]


def scipys(values: FloatArray, confidence: float, *, clusters: int | None = None) -> tuple[float, float]:
    """SciPy's own BCa bootstrap, of rows or of whole clusters of equal size."""
    units = values if clusters is None else values.reshape(clusters, -1).mean(axis=1)
    found = stats.bootstrap(
        (units,), np.mean, method="BCa", confidence_level=confidence, n_resamples=20_000, batch=1_000, rng=7
    ).confidence_interval
    return float(found.low), float(found.high)


@pytest.mark.parametrize("shape", ["normal", "skewed", "clustered"])
def test_the_interval_is_scipys_for_many_rows(shape: str) -> None:
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(200), 5)
    values = {
        "normal": rng.normal(3.0, 1.0, 1_000),
        "skewed": rng.exponential(1.0, 1_000) ** 1.5,
        "clustered": rng.normal(0.0, 1.0, 200)[groups] + rng.normal(0.0, 1.0, 1_000),
    }[shape]
    is_clustered = shape == "clustered"
    found = mean_interval("x", values.tolist(), clusters=groups.tolist() if is_clustered else None)
    low, high = scipys(values, 0.95, clusters=200 if is_clustered else None)
    # What remains is SciPy's noise of drawing, and Student's t in place of the normal quantile.
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.04 * (high - low))


def test_the_interval_of_few_rows_is_scipys_widened() -> None:
    found = mean_interval("quality", SCORES)
    # SciPy 1.17.1 bootstrap(method="BCa"): 0.3292 to 0.6583. Widened by sqrt(12/11) t(0.975, 11) / z(0.975) = 1.173.
    assert found.estimate == pytest.approx(sum(SCORES) / 12)
    assert found.low == pytest.approx(0.4917 - 1.173 * (0.4917 - 0.3292), abs=0.006)
    assert found.high == pytest.approx(0.4917 + 1.173 * (0.6583 - 0.4917), abs=0.006)


def test_the_chance_of_a_resample_is_that_of_drawing() -> None:
    values = np.array(SCORES) - 0.4
    drawn = np.random.default_rng(5).choice(values, (100_000, 12)).mean(axis=1)
    for boundary in (-0.1, 0.0, 0.05, 0.1, 0.2):
        chance = normal_cdf(resampled_score(values - boundary))
        assert chance == pytest.approx(float((drawn <= boundary).mean()), abs=0.01)


def test_nothing_is_drawn_so_that_the_seed_changes_nothing() -> None:
    assert mean_interval("quality", SCORES, seed=5) == mean_interval("quality", SCORES, seed=6)


Draw = Callable[[np.random.Generator], tuple[FloatArray, FloatArray | None]]


def coverage(draw: Draw, truth: float, *, runs: int) -> float:
    """How often the 90 % interval of fresh rows holds the truth."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(runs):
        values, groups = draw(rng)
        clusters = None if groups is None else groups.tolist()
        found = mean_interval("x", values.tolist(), clusters=clusters, confidence=0.9)
        held += found.low <= truth <= found.high
    return held / runs


def in_clusters(rng: np.random.Generator, sizes: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """Rows that share most of their luck with their conversation."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    return rng.normal(0.0, 1.0, len(sizes))[groups] + rng.normal(0.0, 0.5, len(groups)), groups.astype(np.float64)


ROWS_OF: dict[str, tuple[Draw, float]] = {
    "8 normal rows": (lambda rng: (rng.normal(0.0, 1.0, 8), None), 0.0),
    "25 skewed rows": (lambda rng: (rng.exponential(1.0, 25), None), 1.0),
    "50 scores, most of them alike": (
        lambda rng: (np.where(rng.random(50) < 0.25, rng.normal(-0.2, 0.4, 50), 0.0), None),
        -0.05,
    ),
    "200 scores": (lambda rng: (rng.beta(4.0, 2.0, 200), None), 2.0 / 3.0),
    "12 clusters of 8 rows": (lambda rng: in_clusters(rng, np.full(12, 8)), 0.0),
    "25 clusters of 1 to 20 rows": (lambda rng: in_clusters(rng, rng.integers(1, 21, 25)), 0.0),
}


@pytest.mark.parametrize("rows", ROWS_OF)
def test_the_interval_covers_as_often_as_it_says(rows: str) -> None:
    """400 runs: the standard error is 1.5 %, so 84 and 96 % lie four of them away."""
    draw, truth = ROWS_OF[rows]
    assert 0.84 <= coverage(draw, truth, runs=400) <= 0.96


def test_clusters_are_resampled_whole() -> None:
    alone = coverage(lambda rng: (in_clusters(rng, np.full(25, 8))[0], None), 0.0, runs=200)
    assert alone <= 0.6  # what the interval would cover if rows of one conversation counted as independent


def test_clusters_of_one_row_each_change_nothing() -> None:
    names = [f"conversation-{row}" for row in range(12)]
    assert mean_interval("quality", SCORES, clusters=names) == mean_interval("quality", SCORES)


def test_the_p_value_and_the_bound_tell_the_same_story() -> None:
    mean = mean_of(np.array(SCORES), None, span=UNIT)
    assert isinstance(mean, BootstrappedMean)
    found = mean.interval(0.9)
    assert mean.p_at_most(found.low) == pytest.approx(0.05, abs=1e-6)
    assert mean.p_at_least(found.high) == pytest.approx(0.05, abs=1e-6)
    # SciPy 1.17.1 ttest_1samp(SCORES, 0.3, alternative="greater"): 0.0264.
    assert mean.p_at_most(0.3) == pytest.approx(0.0264, abs=0.01)


def test_a_ratio_of_sums_is_resampled_as_one() -> None:
    rng = np.random.default_rng(8)
    before = rng.gamma(4.0, 50.0, 400)
    after = before * rng.normal(1.1, 0.05, 400)
    found = mean_of(after, None, span=Span(0.0, 2.0, is_known=False), weights=before).interval(0.95)
    drawn = rng.integers(400, size=(20_000, 400))
    ratios = after[drawn].sum(axis=1) / before[drawn].sum(axis=1)
    assert found.estimate == pytest.approx(after.sum() / before.sum())
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(ratios, [0.025, 0.975])), abs=0.0007)


def test_equal_rows_are_not_certain() -> None:
    few, many = (mean_interval("quality", [0.8] * rows) for rows in (6, 500))
    assert few.low == pytest.approx(0.8 * 0.025 ** (1 / 6))
    assert many.low == pytest.approx(0.8, abs=0.01)
    assert few.high <= 1.0


def test_one_row_or_one_cluster_shows_next_to_nothing() -> None:
    assert mean_interval("quality", [0.7]).low < 0.05
    one = mean_interval("quality", SCORES, clusters=["the same"] * 12)
    assert one.high - one.low > 0.9


def test_two_rows_give_a_wide_interval_instead_of_an_error() -> None:
    found = mean_interval("quality", [0.2, 0.4])
    assert found.low <= 0.2
    assert found.high >= 0.4


def test_a_mean_claims_no_more_than_its_rows_could_not_have_missed() -> None:
    values = np.random.default_rng(4).normal(0.0, 0.01, 40)
    alone = mean_of(values, None, span=Span(-1.0, 1.0))
    assert isinstance(alone, BootstrappedMean)
    guarded = Guarded(alone, alone.unseen)
    assert alone.p_at_most(-0.05) < 1e-9
    assert guarded.p_at_most(-0.05) == pytest.approx(0.95**40, rel=0.05)
    assert guarded.interval(0.9).low == pytest.approx(0.05 ** (1 / 40) - 1.0, abs=0.005)
    assert guarded.rows_to_clear(-0.05, 0.05) == pytest.approx(59, abs=2)


def test_huge_values_and_constant_shifts_do_no_harm() -> None:
    values = np.array(SCORES)
    plain = mean_interval("x", values.tolist())
    for scale, shift in ((1e12, 0.0), (1e-9, 0.0), (1.0, 1e6), (-1.0, 0.0)):
        found = mean_interval("x", (values * scale + shift).tolist())
        ends = sorted((plain.low * scale + shift, plain.high * scale + shift))
        assert [found.low, found.high] == pytest.approx(ends, rel=1e-5)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e200])
def test_a_value_that_is_not_a_number_is_refused_by_metric_and_row(value: float) -> None:
    with pytest.raises(InvalidInput, match=r"metric groundedness, candidate row 1: .* finite number"):
        mean_interval("groundedness", [0.5, value, 0.7])


def test_rows_that_were_not_measured_are_left_out() -> None:
    assert mean_interval("quality", [None, *SCORES, None]) == mean_interval("quality", SCORES)


def test_no_rows_are_refused_by_metric() -> None:
    with pytest.raises(InvalidInput, match=r"metric quality: .* at least one measured row"):
        mean_interval("quality", [None])


def test_clusters_of_another_length_are_refused() -> None:
    with pytest.raises(InvalidInput, match="rows of clusters"):
        mean_interval("quality", SCORES, clusters=["a"])


def test_a_hundred_thousand_rows_take_little_memory() -> None:
    values = np.random.default_rng(6).random(100_000).tolist()
    tracemalloc.start()
    mean_interval("quality", values)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6  # drawing 10,000 resamples of them would take 8 GB at once
