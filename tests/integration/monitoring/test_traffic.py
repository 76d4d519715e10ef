from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.monitoring import records, traffic
from opsloop.monitoring.models import ArmName, RequestRecord, Status


def put(
    workspace: Workspace,
    by: Caller,
    *,
    arm: ArmName = "stable",
    status: Status = "ok",
    ms: float = 10.0,
    ago_s: float = 1.0,
    shielded: bool = False,
    endpoint: str = "chat",
) -> None:
    record = RequestRecord(
        request_id=workspace.ids.new("req"),
        endpoint=endpoint,
        release="rel_1",
        arm=arm,
        subject="5ub",
        started_at=workspace.clock.now() - timedelta(seconds=ago_s),
        duration_ms=ms,
        status=status,
        shielded=shielded,
    )
    with workspace.writing(by) as uow:
        records.ingest(uow, [record])


def test_summary_counts_each_arm(workspace: Workspace, admin: Caller) -> None:
    for ms in (30.0, 10.0, 20.0, 40.0):
        put(workspace, admin, ms=ms)
    put(workspace, admin, status="error", ms=9_000.0)
    put(workspace, admin, status="shed")
    put(workspace, admin, status="cancelled")
    put(workspace, admin, arm="candidate", status="error", shielded=True)
    put(workspace, admin, endpoint="other")
    put(workspace, admin, ago_s=101.0)
    with workspace.reading(admin) as uow:
        found = traffic.summary(uow, "chat", 100)
    stable, candidate = found.arm("stable"), found.arm("candidate")
    assert stable is not None
    assert candidate is not None
    assert (stable.count, stable.errors, stable.shed, stable.cancelled) == (7, 1, 1, 1)
    assert stable.error_rate == pytest.approx(1 / 5)
    assert (stable.p50_ms, stable.p95_ms) == (20.0, 40.0)
    assert stable.rate_per_s == pytest.approx(0.07)
    assert (candidate.count, candidate.shielded, candidate.error_rate) == (1, 1, 1.0)
    assert (candidate.p50_ms, candidate.p95_ms) == (None, None)
    assert found.requests == 7


def test_an_endpoint_nobody_called_has_no_arms(workspace: Workspace, admin: Caller) -> None:
    with workspace.reading(admin) as uow:
        found = traffic.summary(uow, "chat", 100)
        assert traffic.series(uow, "chat", 100) == []
    assert (found.requests, found.arms) == (0, ())


def test_only_shed_requests_give_no_error_rate(workspace: Workspace, admin: Caller) -> None:
    put(workspace, admin, status="shed")
    with workspace.reading(admin) as uow:
        stable = traffic.summary(uow, "chat", 100).arm("stable")
    assert stable is not None
    assert stable.error_rate is None


def test_series_puts_each_request_into_its_interval(workspace: Workspace, admin: Caller) -> None:
    for ago_s, ms in ((95.0, 1.0), (94.0, 3.0), (5.0, 7.0), (0.0, 9.0)):
        put(workspace, admin, ago_s=ago_s, ms=ms)
    put(workspace, admin, ago_s=5.0, arm="candidate", status="error")
    with workspace.reading(admin) as uow:
        points = traffic.series(uow, "chat", 100, points=10)
        assert sum(point.count for point in points) == traffic.summary(uow, "chat", 100).requests
    start = workspace.clock.now() - timedelta(seconds=100)
    assert [((point.at - start).total_seconds() // 10, point.arm, point.count, point.p95_ms) for point in points] == [
        (0, "stable", 2, 3.0),
        (9, "stable", 2, 9.0),
        (9, "candidate", 1, None),
    ]
    assert points[2].errors == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40))
def test_percentiles_are_the_nearest_rank(
    sqlite_workspace: Workspace, admin: Caller, clock: FakeClock, durations: list[float]
) -> None:
    clock.advance(1_000)  # away from the examples before
    for ms in durations:
        put(sqlite_workspace, admin, ms=ms)
    with sqlite_workspace.reading(admin) as uow:
        stable = traffic.summary(uow, "chat", 100).arm("stable")
    ordered = sorted(durations)
    assert stable is not None
    assert stable.p50_ms == ordered[math.ceil(0.5 * len(ordered)) - 1]
    assert stable.p95_ms == ordered[math.ceil(95 * len(ordered) / 100) - 1]


@pytest.mark.parametrize("window_s", [0, -1, traffic.MAX_WINDOW_S + 1])
def test_a_window_out_of_bounds_is_refused(sqlite_workspace: Workspace, admin: Caller, window_s: int) -> None:
    with sqlite_workspace.reading(admin) as uow, pytest.raises(InvalidInput, match="window"):
        traffic.summary(uow, "chat", window_s)
