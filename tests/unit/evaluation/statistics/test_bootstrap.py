from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.statistics.bootstrap import BootstrappedMean, mean_interval, mean_of
from opsloop.evaluation.statistics.rows import Span

UNIT = Span(0.0, 1.0)
SCORES = [0.1, 0.4, 0.35, 0.8, 0.95, 0.2, 0.6, 0.55, 0.7, 0.05, 0.3, 0.9]


def test_the_interval_is_scipys_widened_for_few_rows() -> None:
    found = mean_interval("quality", SCORES, seed=1)
    # SciPy 1.17.1 bootstrap(method="BCa"): 0.3292 to 0.6583. Widened by sqrt(12/11) t(0.975, 11) / z(0.975) = 1.173.
    assert found.estimate == pytest.approx(sum(SCORES) / 12)
    assert found.low == pytest.approx(0.4917 - 1.173 * (0.4917 - 0.3292), abs=0.006)
    assert found.high == pytest.approx(0.4917 + 1.173 * (0.6583 - 0.4917), abs=0.006)


def test_the_interval_of_many_rows_is_the_usual_one() -> None:
    values = np.random.default_rng(2).normal(3.0, 1.0, 2_000)
    found = mean_interval("latency_s", values.tolist(), seed=1, resamples=4_000)
    half = 1.96 * values.std() / math.sqrt(2_000)
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)


def test_the_same_seed_gives_the_same_interval() -> None:
    assert mean_interval("quality", SCORES, seed=5) == mean_interval("quality", SCORES, seed=5)


def covers(rng: np.random.Generator, *, rows: int, seed: int) -> bool:
    """Whether the 90 % interval of skewed values covers their true mean of 1."""
    found = mean_interval("cost", rng.exponential(1.0, rows).tolist(), confidence=0.9, seed=seed, resamples=1_000)
    return found.low <= 1.0 <= found.high


def test_the_interval_of_skewed_values_covers_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    covered = sum(covers(rng, rows=25, seed=seed) for seed in range(400))
    assert 0.84 <= covered / 400 <= 0.95


def clustered_covers(rng: np.random.Generator, *, with_clusters: bool, seed: int) -> bool:
    """25 conversations of 8 rows that share most of their luck; the true mean is 0."""
    luck = np.repeat(rng.normal(0.0, 1.0, 25), 8)
    values = luck + rng.normal(0.0, 0.3, 200)
    clusters = np.repeat(np.arange(25), 8).tolist() if with_clusters else None
    found = mean_interval("quality", values.tolist(), clusters=clusters, confidence=0.9, seed=seed, resamples=500)
    return found.low <= 0.0 <= found.high


def test_clusters_are_resampled_whole() -> None:
    rng = np.random.default_rng(4)
    with_clusters = sum(clustered_covers(rng, with_clusters=True, seed=seed) for seed in range(200))
    without = sum(clustered_covers(rng, with_clusters=False, seed=seed) for seed in range(200))
    assert with_clusters / 200 >= 0.83
    assert without / 200 <= 0.6


def test_clusters_of_one_row_each_change_nothing() -> None:
    names = [f"conversation-{row}" for row in range(12)]
    assert mean_interval("quality", SCORES, clusters=names, seed=1) == mean_interval("quality", SCORES, seed=1)


def test_the_p_value_and_the_bound_tell_the_same_story() -> None:
    mean = mean_of(np.array(SCORES), None, span=UNIT, seed=1)
    assert isinstance(mean, BootstrappedMean)
    found = mean.interval(0.9)
    assert mean.p_at_most(found.low) == pytest.approx(0.05, abs=0.004)
    assert mean.p_at_least(found.high) == pytest.approx(0.05, abs=0.004)
    assert mean.p_at_most(found.low - 0.05) < 0.05 < mean.p_at_most(found.low + 0.05)
    # SciPy 1.17.1 ttest_1samp(SCORES, 0.3, alternative="greater"): 0.0264.
    assert mean.p_at_most(0.3) == pytest.approx(0.0264, abs=0.01)


def test_equal_rows_are_not_certain() -> None:
    few, many = (mean_interval("quality", [0.8] * rows) for rows in (5, 500))
    assert few.low == pytest.approx(0.8 * 0.025**0.2)
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


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e200])
def test_a_value_that_is_not_a_number_is_refused_by_metric_and_row(value: float) -> None:
    with pytest.raises(InvalidInput, match=r"metric groundedness, candidate row 1: .* finite number"):
        mean_interval("groundedness", [0.5, value, 0.7])


def test_rows_that_were_not_measured_are_left_out() -> None:
    assert mean_interval("quality", [None, *SCORES, None], seed=1) == mean_interval("quality", SCORES, seed=1)


def test_no_rows_are_refused_by_metric() -> None:
    with pytest.raises(InvalidInput, match=r"metric quality: .* at least one measured row"):
        mean_interval("quality", [None])


def test_clusters_of_another_length_are_refused() -> None:
    with pytest.raises(InvalidInput, match="rows of clusters"):
        mean_interval("quality", SCORES, clusters=["a"])


def test_ten_thousand_rows_resample_in_bounded_memory() -> None:
    values = np.random.default_rng(6).random(10_000).tolist()
    tracemalloc.start()
    mean_interval("quality", values, resamples=300)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30e6  # all at once would be 300 x 10,000 x 12 bytes = 36 MB, and 1.2 GB at 10,000 resamples
