from __future__ import annotations

import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsloop.core.errors import InvalidInput
from opsloop.releases.analysis.scores import BETS, ScoreProcess

unit = st.floats(min_value=0.0, max_value=1.0)
streams = st.lists(st.tuples(unit, st.booleans()), max_size=60)


def process_of(scores: list[tuple[float, bool]], *, margin: float = 0.0) -> ScoreProcess:
    process = ScoreProcess(margin=margin)
    for second, (score, candidate) in enumerate(scores):
        process.observe(score, candidate=candidate, at_s=float(second))
    return process


def test_one_pair_gives_the_capital_computed_by_hand() -> None:
    process = process_of([(1.0, False), (0.5, False), (0.25, True)])
    by_hand = sum(1 + bet * 0.5 for bet in BETS) / len(BETS)  # stable mean 0.75, candidate 0.25
    assert process.pairs == 1
    assert math.exp(process.log_e) == pytest.approx(by_hand)


def test_a_margin_is_taken_off_the_difference() -> None:
    process = process_of([(0.9, False), (0.7, True)], margin=0.2)
    assert process.log_e == pytest.approx(0.0, abs=1e-12)


@given(stable=unit, candidate=unit, margin=st.floats(min_value=0.0, max_value=0.99))
def test_the_gambler_never_goes_broke(stable: float, candidate: float, margin: float) -> None:
    assert math.isfinite(process_of([(stable, False), (candidate, True)] * 30, margin=margin).log_e)


@given(first=unit, second=unit)
def test_evidence_does_not_grow_on_average_when_both_arms_draw_from_the_same_scores(
    first: float, second: float
) -> None:
    mean = math.exp(process_of([(first, False), (second, True)]).log_e)
    mean += math.exp(process_of([(second, False), (first, True)]).log_e)
    assert mean / 2 == pytest.approx(1.0)


def test_a_pair_does_not_span_more_than_its_window() -> None:
    process = ScoreProcess(window_s=60.0)
    process.observe(1.0, candidate=False, at_s=0.0)
    process.observe(0.0, candidate=True, at_s=61.0)
    assert process.pairs == 0
    process.observe(0.0, candidate=False, at_s=62.0)
    assert process.pairs == 1
    assert process.log_e == pytest.approx(0.0)


@given(scores=streams)
def test_the_state_survives_storage_as_json(scores: list[tuple[float, bool]]) -> None:
    process = process_of(scores, margin=0.05)
    again = ScoreProcess.from_state(json.loads(json.dumps(process.to_state())))
    for running in (process, again):
        running.observe(0.3, candidate=True, at_s=100.0)
        running.observe(0.9, candidate=False, at_s=101.0)
    assert again.to_state() == process.to_state()
    assert again.log_e == process.log_e


def test_a_damaged_state_is_refused_by_the_name_of_its_key() -> None:
    state = ScoreProcess().to_state()
    del state["stable.sum"]
    with pytest.raises(InvalidInput, match=r"analysis state\.stable\.sum"):
        ScoreProcess.from_state(state)


@pytest.mark.parametrize("score", [-0.01, 1.01, math.nan])
def test_a_score_outside_zero_to_one_is_refused(score: float) -> None:
    with pytest.raises(InvalidInput, match=r"score: .* wanted a number from 0 to 1"):
        ScoreProcess().observe(score, candidate=True, at_s=0.0)


@pytest.mark.parametrize("margin", [-0.1, 1.0, math.nan])
def test_a_margin_outside_its_range_is_refused(margin: float) -> None:
    with pytest.raises(InvalidInput, match="margin"):
        ScoreProcess(margin=margin)


def stopped_after(rng: random.Random, *, drop: float, minutes: int, shock: float = 0.0) -> float | None:
    """Minutes until E reaches 100, at 30 judged answers a minute and arm; the mean falls by `shock` halfway."""
    process = ScoreProcess()
    for second in range(0, minutes * 60, 2):
        fall = shock if second > minutes * 30 else 0.0
        for candidate in (False, True):
            mean = 0.75 - fall - (drop if candidate else 0.0)
            process.observe(min(1.0, max(0.0, rng.gauss(mean, 0.2))), candidate=candidate, at_s=second)
        if process.log_e >= math.log(100):
            return second / 60
    return None


def test_equal_arms_are_rarely_stopped_even_when_all_scores_fall_halfway() -> None:
    rng = random.Random(11)
    stops = sum(stopped_after(rng, drop=0.0, minutes=15, shock=0.4) is not None for _ in range(200))
    assert stops <= 7  # 2 expected at most when alpha is 1 %; 8 or more has chance 0.001


def test_a_drop_of_a_tenth_is_found_within_minutes() -> None:
    rng = random.Random(12)
    found = sorted(stopped_after(rng, drop=0.1, minutes=30) or math.inf for _ in range(100))
    assert found[50] <= 4.0
    assert found[90] <= 7.0
