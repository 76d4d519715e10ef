from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from opsloop.incidents.causes.models import (
    Change,
    ChangeKind,
    Edge,
    Evidence,
    LogTemplate,
    MetricSeries,
    SeriesKind,
    SuspectKind,
)
from opsloop.incidents.causes.ranking import rank
from opsloop.incidents.causes.scores import departure, two_rates

START = datetime(2027, 1, 1, 12, tzinfo=UTC)


def latency(service: str, before: float, after: float, *, just_before: float | None = None) -> MetricSeries:
    """A point a minute: 60 before the start, 10 from it on."""
    values = [before * (1 + 0.01 * (at % 5)) for at in range(60)]
    if just_before is not None:
        values[-10:] = [just_before] * 10
    times = [START.timestamp() + 60 * (at - 60) for at in range(70)]
    return MetricSeries(service, "latency", SeriesKind.LATENCY, tuple(times), (*values, *([after] * 10)))


def evidence(*series: MetricSeries, edges: tuple[Edge, ...] = (), changes: tuple[Change, ...] = ()) -> Evidence:
    return Evidence(("front",), START, START + timedelta(minutes=10), series=series, edges=edges, changes=changes)


def change(subject: str, *, before_start: timedelta, kind: ChangeKind = ChangeKind.GUARDRAILS) -> Change:
    return Change(START - before_start, kind, subject, "key:ci", f"{kind}.changed", "audit/1")


def way(caller: str, callee: str, before: float, after: float) -> MetricSeries:
    return replace(latency(callee, before, after), metric="time on the way in ms", way_from=caller)


def traffic(service: str, before: float, after: float) -> MetricSeries:
    return replace(latency(service, before, after), metric="requests a minute", kind=SeriesKind.TRAFFIC)


CHAIN = (Edge("front", "cart"), Edge("cart", "store"), Edge("other", "noise"))


def test_the_deepest_service_that_left_its_state_comes_first() -> None:
    found = rank(evidence(latency("front", 10, 50), latency("cart", 5, 45), latency("store", 1, 41), edges=CHAIN))
    assert found.suspects[0].subject == "store"
    assert "latency of store went from 1.02 to 41" in found.suspects[0].evidence[0]


def test_loud_noise_that_the_symptoms_do_not_depend_on_is_not_first() -> None:
    found = rank(evidence(latency("front", 10, 50), latency("store", 1, 9), latency("noise", 1, 500), edges=CHAIN))
    assert found.suspects[0].subject == "store"


def test_what_was_off_before_the_start_is_not_named() -> None:
    found = rank(evidence(latency("cart", 5, 45, just_before=45), latency("store", 1, 9), edges=CHAIN))
    assert [each.subject for each in found.suspects] == ["store"]


def test_usual_metrics_are_answered_with_an_abstention_that_says_what_was_looked_at() -> None:
    found = rank(evidence(latency("front", 10, 10.2), latency("cart", 5, 5.1), edges=CHAIN))
    assert found.suspects == ()
    assert found.abstained is not None
    assert "2 metrics" in found.abstained


def test_without_a_call_graph_equal_suspects_are_not_told_apart() -> None:
    found = rank(evidence(latency("cart", 5, 45), latency("store", 1, 9)))
    assert found.suspects == ()
    assert found.abstained is not None
    assert "no call graph" in found.abstained


def test_lines_of_a_new_form_make_a_suspect() -> None:
    logs = (LogTemplate("store", "disk full on <*>", 0, 40), LogTemplate("cart", "took <*> ms", 900, 950))
    found = rank(replace(evidence(edges=CHAIN), logs=logs))
    assert [each.subject for each in found.suspects] == ["store"]
    assert "40 lines of a form that was not there before: disk full on <*>" in found.suspects[0].evidence[0]


def test_a_change_at_the_place_shortly_before_is_named_and_one_elsewhere_is_not() -> None:
    near = change("front", before_start=timedelta(minutes=5))
    far = change("endpoint/other", before_start=timedelta(minutes=5))
    found = rank(evidence(changes=(near, far)))
    assert [(each.kind, each.subject) for each in found.suspects] == [(SuspectKind.CHANGE, "front")]
    assert "it came 5 min before the start" in found.suspects[0].evidence


def test_a_change_of_what_the_symptoms_depend_on_is_named_after_one_at_the_place() -> None:
    at_place = change("front", before_start=timedelta(minutes=5))
    behind = change("store", before_start=timedelta(minutes=5))
    found = rank(evidence(changes=(behind, at_place), edges=CHAIN))
    assert [each.subject for each in found.suspects] == ["front", "store"]


@pytest.mark.parametrize("before_start", [timedelta(hours=12), -timedelta(minutes=5)])
def test_a_change_long_before_or_after_the_start_is_not_named(before_start: timedelta) -> None:
    assert rank(evidence(changes=(change("front", before_start=before_start),))).suspects == ()


def test_a_departure_counts_spreads_of_the_reference() -> None:
    times = tuple(START.timestamp() + 60 * at for at in range(-8, 2))
    series = MetricSeries("a", "cpu", SeriesKind.RESOURCE, times, (9, 11, 9, 11, 9, 11, 9, 11, 30, 30))
    found = departure(series, START.timestamp(), START.timestamp() + 600)
    assert found is not None
    assert found.usual == 10
    assert found.score == pytest.approx(min(20, 19) / 1.4826)


STAR = (Edge("front", "cart"), Edge("front", "ads"), Edge("front", "store"), Edge("cart", "store"))


def test_a_service_is_named_that_works_as_ever_and_that_calls_reach_late() -> None:
    given = (latency("front", 10, 410), latency("cart", 5, 405), latency("store", 2, 2))
    late = (way("front", "store", 1, 400), way("cart", "store", 1, 400), way("front", "cart", 1, 1))
    found = rank(evidence(*given, *late, edges=STAR))
    assert found.suspects[0].subject == "store"
    assert "time on the way in ms from cart to store went from 1.02 to 400" in " ".join(found.suspects[0].evidence)


def test_a_service_whose_calls_all_are_late_is_named_and_none_that_it_calls() -> None:
    late = (way("front", "store", 1, 400), way("front", "ads", 1, 300), way("front", "cart", 1, 350))
    found = rank(evidence(*late, way("cart", "store", 1, 1), edges=STAR))
    assert [each.subject for each in found.suspects] == ["front"]


def test_a_service_that_is_asked_as_ever_and_asks_others_less_is_named() -> None:
    given = (traffic("front", 100, 101), traffic("cart", 60, 12), traffic("ads", 100, 25), traffic("store", 60, 12))
    found = rank(evidence(*given, edges=STAR))
    assert found.suspects[0].subject == "front"
    assert "for each time that it is asked, front asks ads, cart 0.2 times as often as before" in " ".join(
        found.suspects[0].evidence
    )


def test_less_traffic_for_all_is_nobodys_failure() -> None:
    given = (traffic("front", 100, 20), traffic("cart", 60, 12), traffic("ads", 100, 20), traffic("store", 120, 24))
    assert not any(
        "for each time" in said for each in rank(evidence(*given, edges=STAR)).suspects for said in each.evidence
    )


def test_a_service_that_asks_less_since_what_it_calls_is_slow_is_not_blamed_for_it() -> None:
    given = (traffic("front", 100, 101), traffic("ads", 100, 25), latency("cart", 5, 500))
    found = rank(evidence(*given, edges=STAR))
    assert [each.subject for each in found.suspects] == ["cart"]


def test_callees_whose_callers_are_not_all_known_say_nothing() -> None:
    given = (traffic("front", 100, 101), traffic("store", 60, 6))
    assert all(
        "for each time" not in said for each in rank(evidence(*given, edges=STAR)).suspects for said in each.evidence
    )


def test_rates_that_are_equal_differ_by_nothing() -> None:
    assert two_rates(5, 100, 5, 100) == 0.0
    by_hand = (41 / 102 - 6 / 102) / ((41 * 61 + 6 * 96) / 102**3) ** 0.5
    assert two_rates(40, 100, 5, 100) == pytest.approx(by_hand)
    assert two_rates(1, 10, 0, 10) < 1.0
