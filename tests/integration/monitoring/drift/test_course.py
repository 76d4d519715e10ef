"""A feature over time, beside the reference."""

from __future__ import annotations

import pytest

from opsloop.core.clock import FakeClock
from opsloop.core.errors import NotFound
from opsloop.core.workspace import Workspace
from opsloop.monitoring.drift import course as courses
from opsloop.monitoring.drift.course import course
from opsloop.monitoring.drift.distribution import distribution
from opsloop.monitoring.drift.reports import Course
from tests.integration.monitoring.iris import ADMIN, drifted


def asked(workspace: Workspace, feature: str, *, points: int = 20) -> Course:
    with workspace.reading(ADMIN) as uow:
        return course(uow, "iris", feature, release="rel_1", window_s=1200, points=points)


def test_the_mean_of_a_number_moves_where_its_rows_did(sqlite_workspace: Workspace, clock: FakeClock) -> None:
    drifted(sqlite_workspace, clock)
    found = asked(sqlite_workspace, "sepal_length")
    values = [point.value for point in found.points if point.value is not None]
    assert found.what == "mean"
    assert found.reference == pytest.approx(5.0, abs=0.1)
    assert values[0] == pytest.approx(5.0, abs=0.2)
    assert values[-1] == pytest.approx(6.0, abs=0.2)
    assert sum(point.rows for point in found.points) == 550


def test_of_a_text_the_share_of_its_most_frequent_value_is_followed(
    sqlite_workspace: Workspace, clock: FakeClock
) -> None:
    drifted(sqlite_workspace, clock)
    found = asked(sqlite_workspace, "colour", points=1)
    assert found.what.startswith("share of ")
    assert found.reference == pytest.approx(1 / 3, abs=0.1)
    assert found.points[0].value == pytest.approx(1 / 3, abs=0.1)
    assert asked(sqlite_workspace, "prediction").what == "share of setosa"


def test_a_part_of_many_requests_stands_for_all(
    sqlite_workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    drifted(sqlite_workspace, clock)
    monkeypatch.setattr(courses, "MOST_REQUESTS", 100)
    found = asked(sqlite_workspace, "sepal_length")
    values = [point.value for point in found.points if point.value is not None]
    assert 60 < sum(point.rows for point in found.points) < 160
    assert values[0] < 5.5 < values[-1]


def test_a_feature_that_is_none_is_not_found(sqlite_workspace: Workspace, clock: FakeClock) -> None:
    drifted(sqlite_workspace, clock)
    with pytest.raises(NotFound, match="has no input 'weight'"):
        asked(sqlite_workspace, "weight")


def test_a_distribution_counts_rows_since_a_moment_when_asked(sqlite_workspace: Workspace, clock: FakeClock) -> None:
    drifted(sqlite_workspace, clock)
    with sqlite_workspace.reading(ADMIN) as uow:
        every = distribution(uow, "iris", "sepal_length").now_rows
        since = distribution(uow, "iris", "sepal_length", since=clock.now()).now_rows
    assert (every, since) == (550, 1)
