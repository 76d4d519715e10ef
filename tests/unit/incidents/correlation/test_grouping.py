from __future__ import annotations

import math
from dataclasses import replace

import pytest

from opsloop.incidents.correlation.grouping import Profile, Topology, best, odds, words_of

WINDOW_S, TAU_S = 3_600.0, 80.0
NOWHERE = Topology({})
# A hub that everything calls, and a chain beside it.
HUB = Topology({"hub": [f"leaf-{at}" for at in range(8)], "cart": ["store"], "store": ["disk"]})


def incident(
    *subjects: str, first_s: float = 0.0, last_s: float = 0.0, signals: int = 1, words: tuple[str, ...] = ("slow",)
) -> Profile:
    return Profile("i", frozenset(subjects), dict.fromkeys(words, signals), first_s, last_s, signals)


def odds_of(to: Profile, at_s: float, name: str = "a", *, topology: Topology = NOWHERE) -> float:
    return odds((name,), words_of("slow"), at_s, to, opening=0.01, topology=topology, window_s=WINDOW_S)


def test_odds_are_rate_times_likelihood_over_new_incidents() -> None:
    left = math.exp(-40 / TAU_S)
    rate = ((2 + 1) / (1 - left + 0.2) * left + 0.05 * math.exp(-10 / TAU_S)) / TAU_S
    subjects = 0.3 + 0.7 / (1 / 10)
    found = odds_of(incident("a", last_s=30, signals=2), 40)
    assert found == pytest.approx(rate * subjects * math.exp(1.5 * 0.8) / 0.01)


def test_an_incident_that_brought_more_signals_in_the_same_time_brings_the_next_one_rather() -> None:
    few, many = incident("a", last_s=30, signals=2), incident("a", last_s=30, signals=12)
    assert odds_of(many, 60) > 3 * odds_of(few, 60)


def test_an_incident_that_goes_on_for_an_hour_keeps_its_signals_on_a_quiet_platform() -> None:
    long = incident("a", first_s=0, last_s=3_500, signals=60)
    kept = best(("a",), words_of("slow"), 3_530, [long], topology=NOWHERE, window_s=WINDOW_S)
    assert kept is long
    assert best(("z",), words_of("full"), 3_530, [long], topology=NOWHERE, window_s=WINDOW_S) is None


def test_where_incidents_open_fast_a_signal_must_come_sooner() -> None:
    one = incident("a", signals=2, last_s=1_000, first_s=1_000)
    others = [replace(incident(f"b{at}", first_s=100.0 * at, last_s=100.0 * at), key=f"b{at}") for at in range(10)]

    def joins(at_s: float, among: list[Profile]) -> bool:
        return best(("c",), words_of("slow"), at_s, among, topology=NOWHERE, window_s=WINDOW_S) is one

    quiet = [replace(others[0], first_s=-1_800.0, last_s=-1_800.0)]
    assert joins(1_150, [one, *quiet])
    assert not joins(1_150, [one, *others])


def test_a_neighbour_of_few_tells_more_than_one_of_a_hub() -> None:
    rare, common = HUB.likeness(("store",), frozenset({"disk"})), HUB.likeness(("hub",), frozenset({"leaf-1"}))
    assert rare > common > 1
    assert HUB.likeness(("disk",), frozenset({"cart"})) > 1


def test_a_stranger_tells_against_and_a_side_without_subjects_nothing() -> None:
    assert HUB.likeness(("cart",), frozenset({"leaf-1"})) == pytest.approx(0.3)
    assert NOWHERE.likeness(("a",), frozenset({"b"})) == pytest.approx(0.3)
    assert HUB.likeness((), frozenset({"cart"})) == HUB.likeness(("cart",), frozenset()) == 1.0


def test_walks_of_an_incident_are_shares_of_one() -> None:
    """Weighed by how often a part is met by chance, where a walk from one part ends adds up to all of the walks."""
    parts = ["hub", "cart", "store", "disk", *(f"leaf-{at}" for at in range(8))]
    ends = 2 * (8 + 2)
    degree = {"hub": 8, "store": 2}
    for start in parts:
        chance = {each: (degree.get(each, 1) + 1) / (ends + len(parts) + 10) for each in parts}
        walked = sum((HUB.likeness((each,), frozenset({start})) - 0.3) * chance[each] for each in parts)
        assert walked == pytest.approx(0.7)


def test_two_silences_longer_than_the_window_are_two_incidents() -> None:
    assert odds_of(incident("a"), WINDOW_S + 1) == 0.0


def test_words_are_those_of_the_text_without_numbers_and_common_ones() -> None:
    assert words_of("HighErrorRate: the p99 of checkout-7f9 is firing") == {"high", "error", "rate", "checkout-"}
