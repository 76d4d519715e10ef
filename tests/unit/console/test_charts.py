"""Lines and scales of charts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from opsloop.console import charts
from opsloop.console.charts import Span
from opsloop.monitoring.models import ArmName, TrafficPoint

UNTIL = datetime(2027, 1, 1, tzinfo=UTC)
SPAN = Span(UNTIL, window_s=100, points=10)


def point(index: int, arm: ArmName = "stable", *, count: int = 10, errors: int = 0) -> TrafficPoint:
    return TrafficPoint(SPAN.begin + timedelta(seconds=10 * index), arm, count, count / 10, errors, 20.0, 50.0)


def test_a_line_runs_from_edge_to_edge_and_up_is_more() -> None:
    assert charts.path([0.0, 5.0, 10.0], top=10.0) == "M0 100.0L500 50.0L1000 0.0"


def test_what_is_not_known_is_a_gap_and_a_lone_value_a_dash() -> None:
    assert charts.path([1.0, None, 1.0], top=1.0) == "M0 0.0h250M1000 0.0h250"


def test_nothing_draws_nothing() -> None:
    assert charts.path([], top=1.0) == ""
    assert charts.spark([None, None]) == ""


@pytest.mark.parametrize(("largest", "top"), [(0.0, 1.0), (0.3, 0.5), (1.0, 1.0), (7.0, 10.0), (23.0, 50.0)])
def test_a_scale_ends_at_a_round_number(largest: float, top: float) -> None:
    assert charts.nice_top(largest) == pytest.approx(top)


def test_points_stand_at_their_time() -> None:
    found = charts.columns([point(0), point(9, "candidate")], SPAN)
    assert [index for index, each in enumerate(found["stable"]) if each] == [0]
    assert [index for index, each in enumerate(found["candidate"]) if each] == [9]
    assert SPAN.x(UNTIL - timedelta(seconds=25)) == 75.0


def test_a_candidate_that_was_never_asked_has_no_line() -> None:
    alone = charts.traffic_charts([point(3)], SPAN)
    both = charts.traffic_charts([point(3), point(4, "candidate", errors=5)], SPAN)
    assert [[line.kind for line in chart.lines] for chart in alone] == [["stable"], ["stable"], ["stable", "stable"]]
    errors = both[1]
    assert errors.lines[1].values[4] == 0.5
    assert errors.top == 0.5
