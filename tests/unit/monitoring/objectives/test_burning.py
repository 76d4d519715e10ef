from __future__ import annotations

import pytest
from scipy import stats

from opsloop.core.errors import InvalidInput
from opsloop.monitoring.objectives import burning, declaration
from opsloop.monitoring.objectives.models import Measure, Objective, Tally

AVAILABILITY = Objective(Measure.AVAILABILITY, 0.999)


def tallies(**spans: tuple[int, int]) -> dict[int, Tally]:
    """(total, bad) per window; those not named are empty."""
    named = {"s300": 300, "m30": 1_800, "h1": 3_600, "h2": 7_200, "h6": 21_600, "d1": 86_400, "d3": 259_200}
    found = {span: Tally() for span in burning.WINDOWS_S}
    for name, (total, bad) in spans.items():
        found[named[name]] = Tally(total, total - bad)
    return found


def test_rates_are_those_of_the_workbook() -> None:
    assert [pair.rate for pair in burning.PAIRS] == pytest.approx([14.4, 6.0, 3.0, 1.0])
    assert [(pair.long_s, pair.short_s) for pair in burning.PAIRS] == [
        (3_600, 300), (21_600, 1_800), (86_400, 7_200), (259_200, 21_600)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("hour", "minutes", "fires"),
    [
        ((10_000, 200), (1_000, 20), True),  # 20 times in both
        ((10_000, 200), (1_000, 5), False),  # it is over: 5 times in the last five minutes
        ((10_000, 100), (1_000, 20), False),  # it has only begun: 10 times in the hour
        ((10_000, 144), (1_000, 15), True),  # exactly 14.4 times
    ],
)
def test_a_pair_fires_when_both_windows_burn(hour: tuple[int, int], minutes: tuple[int, int], fires: bool) -> None:
    found = burning.burn(AVAILABILITY, burning.PAIRS[0], tallies(h1=hour, s300=minutes))
    assert (found.is_firing, found.is_thin) == (fires, False)


@pytest.mark.parametrize(("total", "bad"), [(2, 1), (2, 2), (1, 1), (500, 2)])
def test_few_bad_events_are_too_thin_to_alarm(total: int, bad: int) -> None:
    found = burning.burn(
        Objective(Measure.AVAILABILITY, 0.9999), burning.PAIRS[0], tallies(h1=(total, bad), s300=(total, bad))
    )
    assert (found.is_firing, found.is_thin) == (False, True)


def test_three_of_three_bad_alarm() -> None:
    found = burning.burn(AVAILABILITY, burning.PAIRS[0], tallies(h1=(3, 3), s300=(3, 3)))
    assert found.is_firing


def test_one_bad_event_alarms_where_none_is_allowed() -> None:
    privacy = Objective(Measure.PRIVACY, 1.0)
    found = burning.burn(privacy, burning.PAIRS[0], tallies(h1=(500, 1), s300=(10, 1)))
    assert (found.is_firing, found.long_rate) == (True, None)


def test_a_low_target_can_still_fire() -> None:
    satisfaction = Objective(Measure.SATISFACTION, 0.9)  # a burn of 14.4 would need 144 % of bad events
    assert burning.threshold(satisfaction, burning.PAIRS[0]) == pytest.approx(5.0)
    assert burning.burn(satisfaction, burning.PAIRS[0], tallies(h1=(40, 24), s300=(10, 6))).is_firing


@pytest.mark.parametrize(
    ("trials", "bad", "chance"), [(2, 1, 0.001), (40, 24, 0.1), (1_000_000, 1_200, 0.001), (5, 5, 0.5)]
)
def test_tail_is_that_of_the_binomial_distribution(trials: int, bad: int, chance: float) -> None:
    assert burning.tail(trials, bad, chance) == pytest.approx(stats.binom.sf(bad - 1, trials, chance), rel=1e-6)


def test_windows_longer_than_the_objective_are_left_out() -> None:
    assert len(burning.pairs_of(Objective(Measure.AVAILABILITY, 0.999, window_days=1))) == 3


def test_defaults_hold_for_what_is_not_named() -> None:
    found = {each.name: each for each in declaration.parse({"availability": 0.99, "satisfaction": False})}
    assert found["availability"].target == 0.99
    assert "satisfaction" not in found
    assert found["latency-2000ms"].is_default
    assert found["privacy"].target == 1.0


def test_several_limits_of_latency() -> None:
    found = declaration.parse({"latency": [{"within_ms": 500, "target": 0.9}, {"within_ms": 2_000, "target": 0.99}]})
    assert {"latency-500ms", "latency-2000ms"} <= {each.name for each in found}


@pytest.mark.parametrize(
    ("declared", "field"),
    [
        ({"uptime": 0.9}, "objectives.uptime"),
        ({"availability": 99.9}, "objectives.availability.target"),
        ({"availability": float("nan")}, "objectives.availability.target"),
        ({"availability": {"target": True}}, "objectives.availability.target"),
        ({"latency": {"within_ms": 1234}}, "objectives.latency.within_ms"),
        ({"availability": {"within_ms": 500}}, "objectives.availability.within_ms"),
        ({"availability": {"window_days": 0.1}}, "objectives.availability.window_days"),
        ({"availability": "0.9"}, "objectives.availability"),
        ({"quality": {}}, "objectives.quality.target"),
        ([], "objectives"),
    ],
)
def test_what_is_wrong_is_named(declared: object, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        declaration.parse(declared)
    assert caught.value.facts["field"] == field
