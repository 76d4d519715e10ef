"""Judges of both arms' answers: each with a process and a share of alpha of its own."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

import pytest

from opsloop.monitoring.objectives.arrivals import LiveScore
from opsloop.releases.analysis.evidence import ALPHA, QUALITY, Finding, weigh
from opsloop.releases.judged import Judged
from opsloop.releases.labelled import Loss

START = datetime(2027, 3, 1, tzinfo=UTC)


def said(number: int, value: float, *, candidate: bool, by: str = "helpful") -> LiveScore:
    at = START + timedelta(seconds=number)
    return LiveScore(number, f"user-{number}", at, candidate, "quality", by, value)


def label(number: int, loss: float, *, candidate: bool) -> Loss:
    return Loss(number, f"user-{number}", START + timedelta(seconds=number), candidate, loss, None)


def test_weights_of_judges_sum_to_that_of_quality_at_most() -> None:
    judged = Judged()
    for number in range(40):
        judged.take(said(number, 0.5, candidate=True, by=f"judge-{number}"))
    weights = [each.kind.weight for each in judged.readings]
    assert weights[:3] == pytest.approx([QUALITY.weight / 2, QUALITY.weight / 6, QUALITY.weight / 12])
    assert math.fsum(weights) == pytest.approx(QUALITY.weight * 40 / 41)


def test_judges_stand_in_the_order_in_which_they_first_spoke() -> None:
    judged = Judged()
    judged.take(said(1, 0.5, candidate=True))
    before = judged.readings[0]
    judged.take(label(0, 0.5, candidate=False))  # it came earlier, and was read later
    judged.take(said(2, 0.5, candidate=True, by="polite"))
    assert [each.kind.name for each in judged.readings] == ["quality", "quality by helpful", "quality by polite"]
    assert before.kind.name == "quality by helpful"


def test_nobody_s_judgement_leaves_quality_open() -> None:
    (reading,) = Judged().readings
    assert (reading.kind, reading.claim) == (QUALITY, "no quality scores on both sides yet")


def test_who_judges_both_sides_most_often_says_how_many_were_scored() -> None:
    judged = Judged()
    for number in range(9):
        judged.take(said(number, 0.5, candidate=number < 3))
        judged.take(said(100 + number, 0.5, candidate=number < 5, by="polite"))
    assert judged.fewest == 4


@pytest.mark.parametrize(("lower", "least", "most"), [(0.0, 0.0, ALPHA + 0.012), (0.4, 0.95, 1.0)])
def test_equal_answers_are_seldom_found_worse_and_worse_ones_nearly_always(
    lower: float, least: float, most: float
) -> None:
    """250 canaries of 600 scores by three judges who see a third each, looked at after every tenth."""
    rng = random.Random(11)
    found = sum(_is_stopped(rng, lower) for _ in range(250)) / 250
    assert least <= found <= most


def _is_stopped(rng: random.Random, lower: float) -> bool:
    judged = Judged()
    for number in range(600):
        candidate = rng.random() < 0.5
        good = rng.random() < 0.7 - (lower if candidate else 0.0)
        judged.take(said(number, float(good), candidate=candidate, by=f"judge-{number % 3}"))
        if number % 10 == 0:
            evidence = weigh(judged.readings, candidate_subjects=100, total_weight=QUALITY.weight)
            if evidence.finding is Finding.WORSE:
                return True
    return False
