"""Simulated canaries: how often an equal candidate is stopped, and how soon a bad one is.

30 minutes at 20 requests a second, 10 % to the candidate, alpha = 1 %; the process is read after every failure.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from opsloop.releases.analysis.adverse import AdverseProcess

PER_MINUTE = 1200
SHARE = 0.1
LIMIT = math.log(100)


def stopped_after(
    rng: np.random.Generator, stable_rates: list[float], candidate_rates: list[float], *, log_limit: float = LIMIT
) -> float | None:
    """Minutes until the canary is stopped, or None; one error rate per minute and arm."""
    process = AdverseProcess()
    for minute, (stable_rate, candidate_rate) in enumerate(zip(stable_rates, candidate_rates, strict=True)):
        candidate = rng.random(PER_MINUTE) < SHARE
        failing = np.flatnonzero(rng.random(PER_MINUTE) < np.where(candidate, candidate_rate, stable_rate))
        for request in failing:
            process.add(candidate=int(candidate[request]), stable=int(not candidate[request]), share=SHARE)
            if process.log_e >= log_limit:
                return minute + (int(request) + 1) / PER_MINUTE
    return None


def most_stops(runs: int, alpha: float = 0.01) -> int:
    """Stops that a process with a true rate of alpha passes in fewer than one of 1,000 simulations (binomial)."""
    within, stops = 0.0, -1
    while within < 0.999:
        stops += 1
        within += math.comb(runs, stops) * alpha**stops * (1 - alpha) ** (runs - stops)
    return stops


@pytest.mark.parametrize(("base", "runs"), [(0.001, 500), (0.01, 300), (0.03, 150), (0.10, 60)])
def test_an_equal_candidate_is_stopped_in_at_most_one_of_a_hundred_canaries(base: float, runs: int) -> None:
    rng = np.random.default_rng(20)
    rates = [base] * 30
    stops = sum(stopped_after(rng, rates, rates) is not None for _ in range(runs))
    assert stops <= most_stops(runs)


def test_an_outage_that_hits_both_arms_does_not_stop_the_canary() -> None:
    rng = np.random.default_rng(21)
    rates = [0.01] * 10 + [0.4] * 3 + [0.01] * 17
    stops = sum(stopped_after(rng, rates, rates) is not None for _ in range(100))
    assert stops <= most_stops(100)


def minutes_to_stop(seed: int, candidate_rate: float, *, log_limit: float = LIMIT) -> tuple[float, float]:
    """Median and 90th percentile of 200 canaries whose error rate is 1 % on stable."""
    rng = np.random.default_rng(seed)
    runs = [stopped_after(rng, [0.01] * 30, [candidate_rate] * 30, log_limit=log_limit) or math.inf for _ in range(200)]
    runs.sort()
    return runs[100], runs[180]


def test_a_candidate_with_six_times_the_errors_is_stopped_in_a_minute_and_a_half() -> None:
    median, p90 = minutes_to_stop(22, 0.06)
    assert median <= 1.5
    assert p90 <= 3.0


def test_a_candidate_with_twenty_times_the_errors_is_stopped_within_thirty_seconds() -> None:
    _, p90 = minutes_to_stop(23, 0.20)
    assert p90 <= 0.5


def test_the_error_kind_is_fast_enough_with_only_its_part_of_alpha() -> None:
    median, p90 = minutes_to_stop(24, 0.06, log_limit=math.log(100 / 0.4))
    assert median <= 1.5
    assert p90 <= 3.0


def sticky_stops(seed: int, *, runs: int, per_request: bool) -> int:
    """Stopped equal canaries of 150 returning users: most fail rarely, some often; the share grows at half time."""
    rng = np.random.default_rng(seed)
    stops = 0
    for _ in range(runs):
        buckets = rng.random(150)
        rates = rng.gamma(0.1, 0.3, 150).clip(0, 1)
        process = AdverseProcess()
        for number, user in enumerate(rng.integers(150, size=6_000)):
            if rng.random() >= rates[user]:
                continue
            share = 0.1 if number < 3_000 else 0.3
            subject = f"request-{number}" if per_request else f"user-{user}"
            process.observe(subject, candidate=bool(buckets[user] < share), share=share)
            if process.log_e >= LIMIT:
                stops += 1
                break
    return stops


def test_counting_returning_users_once_keeps_the_promise_while_the_share_grows() -> None:
    assert sticky_stops(25, runs=150, per_request=False) <= most_stops(150)


def test_counting_requests_of_returning_users_would_break_it() -> None:
    assert sticky_stops(25, runs=150, per_request=True) > 2 * most_stops(150)
