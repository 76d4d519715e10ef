"""How often each analysis rolls back an equal candidate, and how soon it stops a bad one.

Simulated 30-minute canaries at 20 requests a second, 10 % to the candidate. Beside the e-process on labels (alpha 1 %,
as the control plane runs it, read after every failure) stand two customs, on the same requests:

* fixed 5 %: roll back in the first minute in which more than 5 % of the candidate's requests fail;
* peeking z: a two-sample z-test on the totals, one-sided at 1 %, looked at after every minute.

Run: python benchmarks/canary_analysis.py [--runs 500] [--seed 7]
Goal: at most 1 % of equal canaries rolled back at every base rate and in a shared outage (the measured share, less what
chance explains at this number of runs); 1 to 6 % stopped in 1.5 / 3 minutes (median / p90), 1 to 20 % in 0.5 (p90).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from opsloop.releases.analysis.adverse import AdverseProcess

MINUTES, PER_MINUTE, SHARE, ALPHA = 30, 1200, 0.1, 0.01
PATIENCE = 3.1
"""Standard errors by which a measured share may pass the goal: once in 1,000 tables by chance."""


@dataclass(frozen=True)
class Scenario:
    name: str
    stable: tuple[float, ...]
    candidate: tuple[float, ...]
    goal_median: float = math.inf
    goal_p90: float = math.inf

    @property
    def is_equal(self) -> bool:
        return self.stable == self.candidate


@dataclass(frozen=True)
class Canary:
    """One simulated canary: per request, in order of time, who served it and whether it failed."""

    candidate: NDArray[np.bool_]
    failed: NDArray[np.bool_]


Analysis = Callable[[Canary], float | None]


def steady(stable: float, candidate: float, *, median: float = math.inf, p90: float = math.inf) -> Scenario:
    name = f"{100 * stable:g} -> {100 * candidate:g} %" if stable != candidate else f"equal, {100 * stable:g} %"
    return Scenario(name, (stable,) * MINUTES, (candidate,) * MINUTES, median, p90)


OUTAGE = (0.01,) * 10 + (0.4,) * 3 + (0.01,) * 17
SCENARIOS = (
    *(steady(base, base) for base in (0.001, 0.01, 0.03, 0.045, 0.10)),
    Scenario("equal, outage", OUTAGE, OUTAGE),
    steady(0.01, 0.02),
    steady(0.01, 0.03),
    steady(0.01, 0.06, median=1.5, p90=3.0),
    steady(0.01, 0.20, p90=0.5),
)


def simulated(scenario: Scenario, rng: np.random.Generator) -> Canary:
    candidate = rng.random(MINUTES * PER_MINUTE) < SHARE
    rates = np.where(candidate, np.repeat(scenario.candidate, PER_MINUTE), np.repeat(scenario.stable, PER_MINUTE))
    return Canary(candidate, rng.random(len(candidate)) < rates)


def e_process(canary: Canary) -> float | None:
    process = AdverseProcess()
    for request in np.flatnonzero(canary.failed).tolist():
        from_candidate = bool(canary.candidate[request])
        process.add(candidate=int(from_candidate), stable=int(not from_candidate), share=SHARE)
        if process.log_e >= -math.log(ALPHA):
            return (request + 1) / PER_MINUTE
    return None


def fixed_threshold(canary: Canary) -> float | None:
    served, failed = per_minute(canary.candidate), per_minute(canary.candidate & canary.failed)
    return first_minute(failed > 0.05 * served)


def peeking_z(canary: Canary) -> float | None:
    n_c, n_s = np.cumsum(per_minute(canary.candidate)), np.cumsum(per_minute(~canary.candidate))
    k_c = np.cumsum(per_minute(canary.candidate & canary.failed))
    k_s = np.cumsum(per_minute(~canary.candidate & canary.failed))
    pooled = (k_c + k_s) / (n_c + n_s)
    error = np.sqrt(np.maximum(pooled * (1 - pooled) * (1 / n_c + 1 / n_s), 1e-12))
    return first_minute((k_c / n_c - k_s / n_s) / error > NormalDist().inv_cdf(1 - ALPHA))


def per_minute(requests: NDArray[np.bool_]) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = requests.reshape(MINUTES, PER_MINUTE).sum(axis=1)
    return counts


def first_minute(alarm: NDArray[np.bool_]) -> float | None:
    return float(np.argmax(alarm)) + 1.0 if alarm.any() else None


ANALYSES: dict[str, Analysis] = {"e-process": e_process, "fixed 5 %": fixed_threshold, "peeking z": peeking_z}


def cell(scenario: Scenario, stops: Sequence[float | None]) -> str:
    found = [stop for stop in stops if stop is not None]
    share = 100 * len(found) / len(stops)
    if scenario.is_equal:
        return f"{share:.1f} %"
    median, p90 = percentiles(stops)
    return f"{share:.0f} % in {median:.2f} / {p90:.2f}"


def percentiles(stops: Sequence[float | None]) -> tuple[float, float]:
    """Median and 90th percentile of the minutes to a stop; a canary that is never stopped counts as infinitely late."""
    minutes = sorted(math.inf if stop is None else stop for stop in stops)
    return minutes[len(minutes) // 2], minutes[min(len(minutes) - 1, math.ceil(0.9 * len(minutes)))]


def missed_goal(scenario: Scenario, stops: Sequence[float | None]) -> str | None:
    if scenario.is_equal:
        share = sum(stop is not None for stop in stops) / len(stops)
        by_chance = PATIENCE * math.sqrt(ALPHA * (1 - ALPHA) / len(stops))
        return f"{scenario.name}: {100 * share:.1f} % rolled back" if share > ALPHA + by_chance else None
    median, p90 = percentiles(stops)
    late = median > scenario.goal_median or p90 > scenario.goal_p90
    return f"{scenario.name}: {median:.2f} / {p90:.2f} min" if late else None


def stops_of(scenario: Scenario, runs: int, rng: np.random.Generator) -> dict[str, list[float | None]]:
    """Minutes to the stop of every canary, per analysis; all analyses see the same requests."""
    stops: dict[str, list[float | None]] = {name: [] for name in ANALYSES}
    for _ in range(runs):
        canary = simulated(scenario, rng)
        for name, analysis in ANALYSES.items():
            stops[name].append(analysis(canary))
    return stops


def summary(table: dict[str, dict[str, list[float | None]]], missed: Sequence[str]) -> str:
    worst = []
    for name in ANALYSES:
        shares = [
            sum(stop is not None for stop in table[scenario.name][name]) / len(table[scenario.name][name])
            for scenario in SCENARIOS
            if scenario.is_equal
        ]
        worst.append(f"{name} {100 * max(shares):.1f} %")
    verdict = f"missed: {'; '.join(missed)}" if missed else "met"
    return f"canary_analysis: most equal canaries rolled back: {', '.join(worst)}; goal {verdict}"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--runs", type=int, default=500, help="canaries per scenario")
    options.add_argument("--seed", type=int, default=7)
    given = options.parse_args()
    print(f"{given.runs} canaries per line; equal: share rolled back; worse: share found in minutes, median / p90")
    print(f"{'error rate':<16}" + "".join(f"{name:>24}" for name in ANALYSES))
    rng = np.random.default_rng(given.seed)
    table = {}
    for scenario in SCENARIOS:
        table[scenario.name] = stops = stops_of(scenario, given.runs, rng)
        print(f"{scenario.name:<16}" + "".join(f"{cell(scenario, stops[name]):>24}" for name in ANALYSES), flush=True)
    misses = [missed_goal(scenario, table[scenario.name]["e-process"]) for scenario in SCENARIOS]
    missed = [miss for miss in misses if miss is not None]
    print(summary(table, missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
