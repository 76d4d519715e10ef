"""The benchmark's own scoring, against values that its description gives and cases done by hand."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[4] / "benchmarks"))

from _nab import Labelled, probation, raw, scaled, sigmoid


@pytest.mark.parametrize(
    ("place", "worth"), [(-1.0, 0.98661), (-0.5, 0.84828), (0.0, 0.0), (1.0, -0.98661), (3.0, -1.0)]
)
def test_worth_by_place_is_that_of_the_published_description(place: float, worth: float) -> None:
    assert sigmoid(place) == pytest.approx(worth, abs=5e-6)


def test_the_first_detection_of_a_window_counts_in_full_and_later_ones_not_at_all() -> None:
    windows = [(500, 599)]
    assert raw(1_000, windows, [500]) == pytest.approx(1.0)
    assert raw(1_000, windows, [500, 550, 599]) == pytest.approx(1.0)
    late = (2 / (1 + math.exp(-5 * 0.01)) - 1) / sigmoid(-1.0)
    assert raw(1_000, windows, [599]) == pytest.approx(late)


def test_a_miss_costs_one_and_a_false_alarm_a_ninth_of_it() -> None:
    assert raw(1_000, [(500, 599)], []) == -1.0
    assert raw(1_000, [(500, 599)], [200]) == pytest.approx(-1.11)
    assert raw(1_000, [(500, 599)], [599 + 99]) == pytest.approx(-1 - 0.11 * 0.98661, abs=1e-5)


def test_probation_is_not_scored() -> None:
    assert probation(1_000) == 150
    assert probation(22_695) == 750
    assert raw(1_000, [(500, 599)], [149]) == -1.0
    assert raw(1_000, [(500, 599)], [150]) < -1.0


def test_the_scale_puts_silence_at_0_and_perfection_at_100() -> None:
    series = [Labelled("a/one", (0.0,) * 1_000, ((500, 599), (800, 899)))]
    perfect = raw(1_000, series[0].windows, [500, 800])
    assert scaled(series, {"a/one": raw(1_000, series[0].windows, [])}) == 0.0
    assert scaled(series, {"a/one": perfect}) == pytest.approx(100.0)
