from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from opsloop.evaluation.statistics.quantiles import Quantile


@pytest.mark.parametrize("rows", [20, 59, 100, 500])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_interval_and_tests_are_scipys(rows: int, share: float) -> None:
    values = np.random.default_rng(rows).gamma(2.0, 100.0, rows)
    found = Quantile(values, None, share, with_equal=True)
    theirs = stats.quantile_test(values, p=share).confidence_interval(0.95)
    interval = found.interval(0.95)
    assert interval.low == (-math.inf if math.isnan(theirs.low) else theirs.low)
    assert interval.high == (math.inf if math.isnan(theirs.high) else theirs.high)
    below = stats.quantile_test(values, q=200.0, p=share, alternative="less")
    above = stats.quantile_test(values, q=200.0, p=share, alternative="greater")
    assert found.p_at_least(200.0) == pytest.approx(below.pvalue, abs=1e-9)
    assert found.p_at_most(200.0) == pytest.approx(above.pvalue, abs=1e-9)


def covered(rng: np.random.Generator, *, share: float, rows: int, clusters: int | None) -> bool:
    if clusters is None:
        found = Quantile(rng.normal(0.0, 1.0, rows), None, share, with_equal=True)
    else:
        groups = np.arange(rows) % clusters
        values = rng.normal(0.0, math.sqrt(0.7), clusters)[groups] + rng.normal(0.0, math.sqrt(0.3), rows)
        found = Quantile(values, groups, share, with_equal=True)
    interval = found.interval(0.9)
    return interval.low <= float(stats.norm.ppf(share)) <= interval.high


@pytest.mark.parametrize(("rows", "clusters"), [(30, None), (200, None), (200, 40)])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_the_interval_covers_at_least_as_often_as_it_says(rows: int, clusters: int | None, share: float) -> None:
    rng = np.random.default_rng(21)
    held = sum(covered(rng, share=share, rows=rows, clusters=clusters) for _ in range(300))
    assert held / 300 >= 0.9 - 3.1 * math.sqrt(0.9 * 0.1 / 300)


def test_rows_that_equal_a_limit_keep_it() -> None:
    values = np.full(100, 7.0)
    at_most, at_least = (Quantile(values, None, 0.5, with_equal=equal) for equal in (True, False))
    assert at_most.p_at_least(7.0) < 1e-9  # shown: at most 7
    assert at_least.p_at_most(7.0) < 1e-9  # shown: at least 7
