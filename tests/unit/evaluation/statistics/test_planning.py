"""The number of rows that is planned is the number that decides."""

from __future__ import annotations

import numpy as np
import pytest

from opsloop.evaluation.rules import Rule
from opsloop.evaluation.statistics.cases import Case
from opsloop.evaluation.statistics.decide import decide
from opsloop.evaluation.statistics.planning import planned
from opsloop.evaluation.verdicts import Verdict

Pair = tuple[list[float], list[float]]


def pairs(rng: np.random.Generator, rows: int, kind: str) -> Pair:
    """Two runs that are equally good: rows of 0 and 1 of which one in ten changes, or scores that move a little."""
    if kind == "pass or fail":
        luck = rng.random(rows)
        return (luck > 0.25).astype(float).tolist(), (np.abs(luck - 0.175) > 0.125).astype(float).tolist()
    baseline = rng.beta(4.0, 2.0, rows)
    return np.clip(baseline + rng.normal(0.0, 0.2, rows), 0.0, 1.0).tolist(), baseline.tolist()


@pytest.mark.parametrize("margin", [0.03, 0.06])
def test_the_planned_number_of_rows_shows_a_margin_in_eight_of_ten(margin: float) -> None:
    rng = np.random.default_rng(31)
    rule = Rule("x", margin=margin)
    baseline = rng.beta(4.0, 2.0, 5_000)
    shift = rng.normal(0.0, 0.2, 5_000)
    found = planned(Case(rule, (baseline + shift).tolist(), baseline.tolist()), alpha=0.05)
    assert found.rows_needed is not None
    passes = 0
    for _ in range(200):
        before = rng.beta(4.0, 2.0, found.rows_needed)
        after = before + rng.normal(0.0, 0.2, found.rows_needed)
        passes += decide(after.tolist(), before.tolist(), rule).verdict is Verdict.PASS
    assert 0.68 <= passes / 200 <= 0.95


@pytest.mark.parametrize("kind", ["pass or fail", "scores"])
def test_pairing_saves_rows(kind: str) -> None:
    candidate, baseline = pairs(np.random.default_rng(32), 2_000, kind)
    rule = Rule("x", margin=0.03)
    paired = planned(Case(rule, candidate, baseline), alpha=0.05)
    alone = planned(Case(rule, candidate), alpha=0.05)
    assert paired.rows_needed is not None
    assert alone.rows_needed is not None
    assert paired.correlation is not None
    assert paired.correlation > 0.4
    assert paired.rows_needed < alone.rows_needed
    assert "nothing in common" in alone.says


def test_rows_that_agree_still_have_to_be_enough_to_miss_nothing() -> None:
    same = [1.0] * 40 + [0.0] * 10
    found = planned(Case(Rule("x", margin=0.05), same, same), alpha=0.05)
    assert found.rows_needed == 59
    assert found.smallest_margin == pytest.approx(1 - 0.05 ** (1 / 50))
    assert found.sentence.startswith("x: less than 0.05 below the baseline takes about 59 rows (50 now, which can show")


def test_clusters_cost_rows() -> None:
    rng = np.random.default_rng(33)
    groups = np.repeat(np.arange(100), 5)
    moved = rng.normal(0.0, 0.2, 100)[groups]
    rule = Rule("x", margin=0.05)
    baseline = np.full(500, 0.5)
    plain, clustered = (
        planned(Case(rule, (baseline + moved).tolist(), baseline.tolist(), clusters), alpha=0.05)
        for clusters in (None, groups.tolist())
    )
    assert plain.rows_needed is not None
    assert clustered.rows_needed is not None
    assert clustered.rows_needed > 3 * plain.rows_needed


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (Rule("x", margin=0.0), "an equal candidate sits on it"),
        (Rule("x", no_flips=True), "judged on every row"),
        (Rule("x", at_most=0.0), "judged on every row"),
        (Rule("x", at_least=0.75), "the run sits on the boundary"),
    ],
)
def test_where_no_number_of_rows_would_do_it_is_said_why(rule: Rule, says: str) -> None:
    candidate, baseline = [1.0] * 75 + [0.0] * 25, [1.0] * 74 + [0.0] * 26
    found = planned(Case(rule, candidate, baseline), alpha=0.05)
    assert found.rows_needed is None
    assert says in found.sentence


def test_absolute_rules_and_quantiles_are_planned_from_what_was_seen() -> None:
    candidate = [1.0] * 88 + [0.0] * 12
    assert (planned(Case(Rule("x", at_least=0.8), candidate), alpha=0.05).rows_needed or 0) > 100
    latencies = [100.0] * 50
    fast = planned(Case(Rule("ms", quantile=0.95, at_most=200.0), latencies), alpha=0.05)
    assert fast.rows_needed == 59
