"""Intervals that hold at every look, checked by simulation, and the check of the ratio of users."""

from __future__ import annotations

import math
import random

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.releases.analysis.confidence import MeanSequence, difference
from opsloop.releases.analysis.ratio import log_mismatch

ALPHA = 0.1
RUNS = 300
LENGTH = 800


def misses(draw: random.Random, mean: float, spread: str) -> bool:
    """Whether the interval ever leaves the mean out in one stream."""
    sequence = MeanSequence(ALPHA)
    for _ in range(LENGTH):
        sequence.observe(
            float(draw.random() < mean) if spread == "coin" else draw.betavariate(8 * mean, 8 * (1 - mean))
        )
        interval = sequence.interval
        if not interval.low <= mean <= interval.high:
            return True
    return False


@pytest.mark.parametrize(("mean", "spread"), [(0.02, "coin"), (0.5, "coin"), (0.3, "beta")])
def test_the_interval_holds_the_mean_at_every_look(mean: float, spread: str) -> None:
    draw = random.Random(20240109)
    assert sum(misses(draw, mean, spread) for _ in range(RUNS)) / RUNS <= ALPHA


def test_a_difference_holds_at_every_look_and_is_found_when_it_is_there() -> None:
    draw = random.Random(7)
    missed = found = 0
    for _ in range(100):
        candidate, stable = MeanSequence(ALPHA / 2), MeanSequence(ALPHA / 2)
        is_missed = is_found = False
        for _ in range(LENGTH):
            candidate.observe(float(draw.random() < 0.35))
            stable.observe(float(draw.random() < 0.15))
            told = difference(candidate, stable)
            is_missed |= not told.low <= 0.2 <= told.high
            is_found |= told.low > 0.0
        missed += is_missed
        found += is_found
    assert missed <= 100 * ALPHA
    assert found >= 95


def test_the_first_interval_is_that_of_the_formula() -> None:
    sequence = MeanSequence(0.05)
    sequence.observe(0.0)
    log, weight = math.log(40.0), 0.75  # the weight is cut: sqrt(2 * 3.69 / (0.25 * log 2)) is above it
    half = (log + 4 * 0.25 * (-math.log(1 - weight) - weight) / 4) / weight
    assert half > 1
    assert (sequence.interval.low, sequence.interval.high, sequence.mean) == (0.0, 1.0, 0.0)
    for _ in range(200):
        sequence.observe(0.0)
    assert 0.0 < sequence.interval.high < 0.1


def test_an_interval_shrinks_with_the_spread_of_what_is_seen() -> None:
    narrow, wide = MeanSequence(0.05), MeanSequence(0.05)
    for number in range(1_000):
        narrow.observe(0.5 + 0.01 * (number % 2))
        wide.observe(float(number % 2))
    assert narrow.interval.high - narrow.interval.low < 0.05 < wide.interval.high - wide.interval.low < 0.2


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_what_is_out_of_bounds_is_refused(value: float) -> None:
    with pytest.raises(InvalidInput):
        MeanSequence(0.05).observe(value)


def test_users_that_are_shared_out_as_drawn_are_no_mismatch_at_any_look() -> None:
    draw = random.Random(11)
    alarms = 0
    for _ in range(200):
        counts = [0, 0]
        for _ in range(1_500):
            counts[draw.random() < 0.3] += 1
            if log_mismatch(counts[1], counts[0], share=0.3) >= math.log(100):
                alarms += 1
                break
    assert alarms <= 4  # 1 % of 200, and twice its spread


def test_users_that_one_arm_loses_are_a_mismatch() -> None:
    assert log_mismatch(4_700, 5_300, share=0.5) > math.log(100)
    assert log_mismatch(5_000, 5_000, share=0.5) < 0.0
