from __future__ import annotations

import json
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsloop.incidents.anomalies.detector import LEAST_POINTS, REFRACTORY, STRICT, WINDOW, Detector


def alarms(values: list[float], *, threshold: float = STRICT) -> list[int]:
    detector = Detector(threshold=threshold)
    return [at for at, value in enumerate(values) if detector.read(value).is_alarm]


def noise(count: int, seed: int = 3) -> list[float]:
    dice = random.Random(seed)
    return [dice.gauss(100, 10) for _ in range(count)]


def test_a_new_level_is_one_alarm_at_once_and_then_the_usual() -> None:
    values = [*noise(1_000), *(150 + each for each in noise(80, seed=4))]
    found = alarms(values)
    assert len(found) == 1
    assert 1_000 <= found[0] <= 1_004


def test_a_fall_is_an_alarm_as_well() -> None:
    found = alarms([*noise(1_000), *([20.0] * 20)])
    assert len(found) == 1
    assert 1_000 <= found[0] <= 1_004


def test_a_stationary_stream_has_no_more_alarms_than_the_bound() -> None:
    found = alarms(noise(20_000), threshold=1.0)
    assert len(found) <= 20_000 / REFRACTORY
    assert len(alarms(noise(20_000))) <= 4


def test_heavy_tails_keep_the_bound_that_needs_no_distribution() -> None:
    dice = random.Random(5)
    values = [math.tan(math.pi * (dice.random() - 0.5)) for _ in range(20_000)]  # Cauchy
    silent = Detector(threshold=1.0, refractory=0)
    beyond = sum(silent.read(value).is_alarm for value in values)
    assert beyond / len(values) <= 0.02


def test_a_daily_rhythm_that_was_seen_is_usual() -> None:
    noisy = noise(14 * 288, seed=6)
    values = [500 + 300 * math.sin(2 * math.pi * at / 288) + noisy[at] for at in range(14 * 288)]
    assert [at for at in alarms(values) if at > 288] == []


def test_an_autocorrelated_stream_has_few_alarms() -> None:
    dice, level, values = random.Random(7), 0.0, []
    for _ in range(20_000):
        level = 0.9 * level + dice.gauss(0, 1)
        values.append(level)
    assert len([at for at in alarms(values) if at > 1_000]) <= 10


def test_a_constant_stream_is_silent_and_its_first_step_is_heard() -> None:
    assert alarms([7.0] * 5_000) == []
    assert alarms([*([7.0] * 500), 8.0]) == [500]


def test_nothing_is_said_of_the_first_points() -> None:
    assert alarms([*([1.0] * (LEAST_POINTS - 2)), 1e9]) == []


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=300))
@settings(max_examples=30, deadline=None)
def test_a_state_that_went_through_json_goes_on_as_if_nothing_had_been(values: list[float]) -> None:
    half = len(values) // 2
    whole, first = Detector(), Detector()
    for value in values[:half]:
        assert whole.read(value) == first.read(value)
    second = Detector.restore(json.loads(json.dumps(first.state())), threshold=1.05)
    for value in values[half:]:
        assert whole.read(value) == second.read(value)


def test_memory_has_a_bound() -> None:
    detector = Detector()
    for value in noise(WINDOW + 500):
        detector.read(value)
    assert len(detector.state()["window"]) == WINDOW


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_point_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Detector().read(value)


@pytest.mark.parametrize(
    "state", [{}, {"last": [], "window": [math.nan], "silent": 0}, {"last": 1, "window": [], "silent": 0}]
)
def test_a_state_that_is_none_is_refused(state: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="state of a detector"):
        Detector.restore(state, threshold=1.0)
