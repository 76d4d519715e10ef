from __future__ import annotations

import json
import math
import random

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.incidents.logs.anomalies import LogAnomaly, LogWatch, _at_least

SAID = ["request served in 12 ms", "cache hit for key 7", "cache miss for key 9", "pool holds 4 connections"]


def _poisson(chance: random.Random, mean: float) -> int:
    left, count = math.exp(-mean), 0
    product = chance.random()
    while product > left:
        product *= chance.random()
        count += 1
    return count


def _minutes(watch: LogWatch, begin: int, minutes: int, chance: random.Random, mean: float = 5) -> list[LogAnomaly]:
    found = []
    for minute in range(begin, begin + minutes):
        for text in SAID:
            for _ in range(_poisson(chance, mean)):
                found += watch.add(text, minute * 60 + 30)
    return found


def test_a_healthy_week_gives_no_finding() -> None:
    watch = LogWatch()
    assert _minutes(watch, 0, 7 * 1_440, random.Random(3), mean=2) == []
    assert watch.to_json()["lines"] > 70_000


def test_a_burst_is_found_with_its_lines_and_numbers() -> None:
    watch = LogWatch()
    chance = random.Random(5)
    _minutes(watch, 0, 120, chance)
    found = []
    for at in range(60):
        found += watch.add(f"cache miss for key {at}", 120 * 60 + 30)
    found += _minutes(watch, 121, 10, chance)
    [burst] = found
    assert (burst.kind, burst.template, burst.count) == ("burst", "cache miss for key <*>", 60)
    assert burst.at_s == 121 * 60
    assert burst.evidence[0] == "cache miss for key 0"
    assert burst.expected == pytest.approx(5, rel=0.2)
    assert burst.p < 1e-9


def test_a_burst_that_goes_on_is_told_once_an_hour() -> None:
    watch = LogWatch()
    _minutes(watch, 0, 120, random.Random(5))
    found = [each for at in range(120 * 60, 150 * 60) for each in watch.add("cache miss for key 1", at)]
    assert len(found) == 1


def test_a_kind_of_line_that_was_never_seen_is_found_when_new_ones_are_rare() -> None:
    watch = LogWatch()
    _minutes(watch, 0, 400, random.Random(7))
    watch.add("out of memory: killed process 4711", 400 * 60 + 5, is_error=True)
    [rare] = watch.flush(402 * 60)
    assert (rare.kind, rare.template, rare.count) == ("rarity", "out of memory: killed process <*>", 1)
    assert rare.evidence == ("out of memory: killed process 4711",)


def test_a_service_that_always_says_new_things_is_left_alone() -> None:
    watch, chance, found = LogWatch(), random.Random(11), []
    for minute in range(600):
        for _ in range(10):
            word = "".join(chance.choices("abcdefgh", k=9))
            found += watch.add(f"searching for {word}", minute * 60, is_error=True)
    assert found == []


def test_nothing_is_unusual_before_enough_was_seen() -> None:
    watch = LogWatch()
    assert not watch.add("started", 0)
    assert not watch.add("a new thing", 61, is_error=True)
    assert not watch.flush(200)


def test_a_clock_that_jumps_neither_fails_nor_finds() -> None:
    watch = LogWatch()
    chance = random.Random(13)
    _minutes(watch, 1_000, 120, chance)
    assert not _minutes(watch, 10, 30, chance)
    assert not _minutes(watch, 10_000_000, 30, chance)


def test_a_watch_goes_on_where_its_state_was_kept() -> None:
    whole, parts = LogWatch(), LogWatch()
    for begin in range(0, 200, 20):
        _minutes(whole, begin, 20, random.Random(begin))
        _minutes(parts, begin, 20, random.Random(begin))
        parts = LogWatch.from_json(json.loads(json.dumps(parts.to_json())))
    assert parts.to_json() == whole.to_json()
    with pytest.raises(InvalidInput):
        LogWatch.from_json({"version": 1})


def test_tails_are_those_of_the_tables() -> None:
    assert _at_least(3, 1.0, math.inf) == pytest.approx(1 - math.exp(-1) * 2.5)
    # Of size 1 it is geometric: the chance of k or more is (mean / (1 + mean)) ** k.
    assert _at_least(10, 2.0, 1.0) == pytest.approx((2 / 3) ** 10)
    assert _at_least(0, 2.0, 1.0) == 1
