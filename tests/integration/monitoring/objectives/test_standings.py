from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from opsloop.core.caller import Caller, NotAllowed, Role
from opsloop.core.clock import FakeClock
from opsloop.core.workspace import Workspace
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord, Status
from opsloop.monitoring.objectives import service, tallying
from opsloop.monitoring.objectives.models import Measure, Standing, State, Tally
from opsloop.monitoring.objectives.tallying import Entry


def put(
    workspace: Workspace,
    by: Caller,
    count: int,
    *,
    status: Status = "ok",
    http_status: int = 200,
    ms: float = 10.0,
    ago_s: float = 60.0,
    endpoint: str = "chat",
    **more: object,
) -> None:
    made = [
        RequestRecord(
            request_id=workspace.ids.new("req"),
            endpoint=endpoint,
            release="rel_1",
            arm="stable",
            subject="5ub",
            started_at=workspace.clock.now() - timedelta(seconds=ago_s),
            duration_ms=ms,
            status=status,
            http_status=http_status,
            **more,  # type: ignore[arg-type]  # fields of the record
        )
        for _ in range(count)
    ]
    with workspace.writing(by) as uow:
        records.ingest(uow, made)


def count(workspace: Workspace, by: Caller) -> int:
    with workspace.writing(by) as uow:
        return tallying.advance(uow)


def standing(workspace: Workspace, by: Caller, name: str = "availability") -> Standing:
    with workspace.reading(by) as uow:
        return next(each for each in service.standings(uow, "chat") if each.name == name)


def test_only_what_callers_saw_counts(workspace: Workspace, admin: Caller) -> None:
    put(workspace, admin, 6)
    put(workspace, admin, 1, status="error", http_status=500)
    put(workspace, admin, 1, status="error", http_status=200)  # broke off in its stream
    put(workspace, admin, 1, status="shed", http_status=503)
    put(workspace, admin, 1, status="error", http_status=422)
    put(workspace, admin, 1, status="cancelled", http_status=499)
    put(workspace, admin, 1, status="error", http_status=500, shadow=True)
    put(workspace, admin, 1, status="error", http_status=500, shielded=True)
    assert count(workspace, admin) == 13
    found = standing(workspace, admin)
    assert (found.total, found.bad) == (9, 3)


def test_counting_again_changes_nothing(workspace: Workspace, admin: Caller) -> None:
    put(workspace, admin, 5)
    assert [count(workspace, admin), count(workspace, admin)] == [5, 0]
    put(workspace, admin, 2)
    assert count(workspace, admin) == 2
    assert standing(workspace, admin).total == 7


def test_a_transaction_that_fails_counts_nothing(workspace: Workspace, admin: Caller) -> None:
    put(workspace, admin, 5)
    with suppress(RuntimeError), workspace.writing(admin) as uow:
        tallying.advance(uow)
        raise RuntimeError
    assert count(workspace, admin) == 5
    assert standing(workspace, admin).total == 5


def test_counting_goes_on_in_pieces(workspace: Workspace, admin: Caller) -> None:
    put(workspace, admin, 5)
    taken = []
    for _ in range(4):
        with workspace.writing(admin) as uow:
            taken.append(tallying.advance(uow, limit=2))
    assert taken == [2, 2, 1, 0]
    assert standing(workspace, admin).total == 5


def test_budget_of_the_window(workspace: Workspace, admin: Caller) -> None:
    put(workspace, admin, 1_999, ago_s=5 * 86_400)
    put(workspace, admin, 1, status="error", http_status=500, ago_s=5 * 86_400)
    put(workspace, admin, 100, status="error", http_status=500, ago_s=40 * 86_400)  # before the window
    count(workspace, admin)
    found = standing(workspace, admin)
    assert found.value == pytest.approx(0.9995)
    assert found.budget_left == pytest.approx(0.5)
    assert found.state is State.MET
    assert "50 % is left of the budget of 30 days" in found.sentence


def test_an_outage_burns_then_breaks_the_budget(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    with workspace.writing(admin) as uow:
        before = Entry("chat", Measure.AVAILABILITY, clock.now() - timedelta(days=2), Tally(100_000, 100_000))
        tallying.add(uow, [before])
    put(workspace, admin, 100, ago_s=120)
    put(workspace, admin, 50, status="error", http_status=500, ago_s=60)
    count(workspace, admin)
    found = standing(workspace, admin)
    assert (found.state, found.severity) == (State.BURNING, "page")
    put(workspace, admin, 100, status="error", http_status=500, ago_s=60)
    count(workspace, admin)
    assert standing(workspace, admin).state is State.BROKEN
    clock.advance(3 * 3_600)
    assert standing(workspace, admin).severity == "ticket"  # the short windows of a page are clean
    clock.advance(4 * 3_600)
    assert standing(workspace, admin).severity is None


def test_one_of_two_is_not_enough_traffic(workspace: Workspace, admin: Caller) -> None:
    put(workspace, admin, 1)
    put(workspace, admin, 1, status="error", http_status=500)
    count(workspace, admin)
    found = standing(workspace, admin)
    assert (found.state, found.severity) == (State.NOT_ENOUGH, None)
    assert "not enough traffic" in found.sentence


def test_latency_counts_answers_within_the_limit(workspace: Workspace, admin: Caller) -> None:
    put(workspace, admin, 90, ms=100.0)
    put(workspace, admin, 10, ms=2_001.0)
    count(workspace, admin)
    found = standing(workspace, admin, "latency-2000ms")
    assert found.state is State.BROKEN
    assert found.value == pytest.approx(0.9)
    mean = standing(workspace, admin, "mean_latency-2000ms")
    assert mean.state is State.MET
    assert mean.value == pytest.approx(290.1)


def test_one_leak_is_one_too_many(workspace: Workspace, admin: Caller) -> None:
    with workspace.writing(admin) as uow:
        tallying.add(uow, [Entry("chat", Measure.PRIVACY, workspace.clock.now(), Tally(100, 99))])
    found = standing(workspace, admin, "privacy")
    assert (found.state, found.severity, found.budget_left) == (State.BROKEN, "page", None)


def test_what_was_counted_can_be_taken_back(workspace: Workspace, admin: Caller) -> None:
    at = workspace.clock.now()
    with workspace.writing(admin) as uow:
        tallying.add(uow, [Entry("chat", Measure.SATISFACTION, at, Tally(3, 2))])
        tallying.add(uow, [Entry("chat", Measure.SATISFACTION, at, Tally(-1, 0))])
    found = standing(workspace, admin, "satisfaction")
    assert (found.total, found.bad) == (2, 0)


def test_declared_objectives_replace_defaults(workspace: Workspace, admin: Caller) -> None:
    with workspace.writing(admin) as uow:
        service.declare(uow, "chat", {"availability": 0.9, "privacy": False})
    with workspace.reading(admin) as uow:
        names = {each.name: each.target for each in service.objectives(uow, "chat")}
        assert service.endpoints(uow) == ["chat"]
    assert names["availability"] == 0.9
    assert "privacy" not in names
    with workspace.writing(admin) as uow:
        service.withdraw(uow, "chat")
    assert standing(workspace, admin).target == 0.999


def test_a_viewer_declares_nothing(sqlite_workspace: Workspace) -> None:

    with pytest.raises(NotAllowed), sqlite_workspace.writing(Caller("test:viewer", Role.VIEWER)) as uow:
        service.declare(uow, "chat", {})


def test_old_minutes_go_and_hours_stay(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    put(workspace, admin, 10)
    count(workspace, admin)
    clock.advance(5 * 86_400)
    with workspace.writing(admin) as uow:
        tallying.prune(uow)
    found = standing(workspace, admin)
    assert found.total == 10
    assert all(burn.long_rate is None for burn in found.burns)
