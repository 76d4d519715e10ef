"""Several rules at once: the chance of a wrong fail is held over all of them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from opsloop.evaluation.rules import Rule
from opsloop.evaluation.statistics.cases import Case
from opsloop.evaluation.statistics.decide import decide_cases
from opsloop.evaluation.verdicts import Verdict, overall

ALPHA, MARGIN, GATES = 0.1, 0.05, 300
BOUND = ALPHA + 3.1 * math.sqrt(ALPHA * (1 - ALPHA) / GATES)


def lost(rng: np.random.Generator, rows: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A candidate that loses as much as the margin allows, to the hair, and the baseline."""
    baseline = rng.beta(4.0, 2.0, rows)
    again = np.where(rng.random(rows) < 0.4, rng.beta(4.0, 2.0, rows), baseline)
    return np.where(rng.random(rows) < MARGIN * 1.5, 0.0, again), baseline


def gate(rng: np.random.Generator, *, metrics: int, slices: int) -> Verdict:
    cases = []
    for metric in range(metrics):
        candidate, baseline = lost(rng, 400)
        for part in range(slices):
            of = np.arange(400) % slices == part
            cases.append(Case(Rule(f"{metric}", margin=MARGIN), candidate[of].tolist(), baseline[of].tolist()))
    return overall(decide_cases(cases, alpha=ALPHA))


def test_six_rules_on_the_margin_fail_no_more_often_than_one_may() -> None:
    rng = np.random.default_rng(51)
    verdicts = [gate(rng, metrics=3, slices=2) for _ in range(GATES)]
    assert verdicts.count(Verdict.FAIL) / GATES <= BOUND
    assert verdicts.count(Verdict.PASS) / GATES <= BOUND
