"""What copies of requests show of a candidate that does not answer them."""

from __future__ import annotations

import math
import random

import pytest

from opsloop.releases.analysis.evidence import ERROR, SLOW, Finding
from opsloop.releases.analysis.shadowing import Losses, Pairs, ShadowRule, Trouble, evidence, readiness

RULE = ShadowRule(min_pairs=100, tolerance=0.05, alpha=0.05)


def quiet(pairs: int) -> Pairs:
    return Pairs({ERROR: Trouble(neither=pairs)}, Losses(0.0), count=pairs)


def test_an_outage_that_hits_both_arms_says_nothing() -> None:
    assert Trouble(both=500, neither=500).log_e == 0.0


def test_what_only_the_candidate_fails_speaks_against_it() -> None:
    found = Pairs({ERROR: Trouble(worse=20, neither=80)}, Losses(0.0), count=100)
    assert evidence(found, alpha=0.01).finding is Finding.WORSE
    assert "on 20 of 100 requests" in evidence(found, alpha=0.01).sentence


def test_the_bound_without_trouble_falls_with_the_pairs() -> None:
    bounds = [Trouble(neither=pairs).excess_upper(0.05) for pairs in (1, 100, 1_000)]
    assert bounds[0] == 1.0
    assert bounds[1] < 0.06
    assert bounds[2] < 0.008


def test_the_evidence_is_what_the_bets_come_to() -> None:
    bets = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
    expected = math.log(sum((1 + bet) ** 3 * (1 - bet) for bet in bets) / len(bets))
    assert Trouble(worse=3, better=1, neither=7).log_e == pytest.approx(expected)


def test_an_equal_candidate_is_seldom_stopped_however_often_one_looks() -> None:
    draw = random.Random(7)
    stopped = 0
    for _ in range(300):
        trouble = Trouble()
        for _ in range(400):
            trouble.count(candidate=draw.random() < 0.1, stable=draw.random() < 0.1)
            if trouble.log_e >= math.log(20):
                stopped += 1
                break
    assert stopped <= 0.05 * 300


def test_silence_never_gives_traffic() -> None:
    assert not readiness(RULE, quiet(99)).is_ready
    assert readiness(RULE, quiet(150)).is_ready


def test_a_step_needs_the_agreement_that_is_asked_for() -> None:
    pairs = quiet(200)
    for _ in range(200):
        pairs.agreed(0.9)
    wanting = ShadowRule(min_pairs=100, tolerance=0.05, alpha=0.05, min_agreement=0.95)
    assert readiness(wanting, pairs).sentence == "it agrees with stable on 90.0% of rows, 95.0% are wanted"
    assert readiness(RULE, pairs).is_ready
    assert "agreeing on 90.0% of rows" in readiness(RULE, pairs).sentence


def labelled(candidate_wrong: float, stable_wrong: float, rows: int, *, margin: float) -> Pairs:
    draw = random.Random(3)
    pairs = quiet(300)
    pairs.losses = Losses(margin)
    for _ in range(rows):
        at = draw.random()
        pairs.losses.count(candidate=float(at < candidate_wrong), stable=float(at < stable_wrong))
    return pairs


def test_a_candidate_that_predicts_worse_is_stopped_once_labels_say_so() -> None:
    found = evidence(labelled(0.3, 0.1, 300, margin=0.02), alpha=0.01)
    assert (found.finding, found.kind) == (Finding.WORSE, "quality")
    assert "labelled requests" in found.sentence


def test_labels_that_are_asked_for_must_show_that_it_predicts_as_well() -> None:
    wanting = ShadowRule(min_pairs=100, tolerance=0.05, alpha=0.05, min_labels=50)
    assert "0 labelled requests, 50 are needed" in readiness(wanting, quiet(300)).sentence
    assert not readiness(wanting, labelled(0.12, 0.1, 60, margin=0.02)).is_ready
    assert readiness(wanting, labelled(0.05, 0.15, 300, margin=0.02)).is_ready


def test_kinds_of_trouble_are_judged_by_the_one_that_speaks_most_against_it() -> None:
    pairs = Pairs({ERROR: Trouble(neither=300), SLOW: Trouble(worse=60, neither=240)}, Losses(0.0), count=300)
    shown = readiness(RULE, pairs)
    assert (shown.is_ready, shown.kind) == (False, "slow")
