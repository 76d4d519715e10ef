from __future__ import annotations

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.workspace import Workspace
from opsloop.feedback import service as feedback
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord
from opsloop.monitoring.objectives import service
from opsloop.releases import satisfaction


def answered(workspace: Workspace, by: Caller, request_id: str) -> None:
    record = RequestRecord(
        request_id=request_id,
        endpoint="chat",
        release="rel_1",
        arm="stable",
        subject="5ub",
        started_at=workspace.clock.now(),
        duration_ms=5.0,
        status="ok",
    )
    with workspace.writing(by) as uow:
        records.ingest(uow, [record])


def say(workspace: Workspace, by: Caller, request_id: str, score: float) -> None:
    with workspace.writing(by) as uow:
        feedback.add(uow, request_id, score=score)


def advance(workspace: Workspace, by: Caller) -> int:
    with workspace.writing(by) as uow:
        return satisfaction.advance(uow)


def counted(workspace: Workspace, by: Caller) -> tuple[int, int]:
    with workspace.reading(by) as uow:
        found = next(each for each in service.standings(uow, "chat") if each.name == "satisfaction")
    return found.total, found.bad


def test_feedback_counts_for_the_endpoint_that_answered(workspace: Workspace, admin: Caller) -> None:
    answered(workspace, admin, "one")
    answered(workspace, admin, "two")
    say(workspace, admin, "one", 1.0)
    say(workspace, admin, "two", 0.2)
    assert advance(workspace, admin) == 2
    assert counted(workspace, admin) == (2, 1)
    assert advance(workspace, admin) == 0


def test_who_changes_their_mind_counts_once(workspace: Workspace, admin: Caller) -> None:
    answered(workspace, admin, "one")
    say(workspace, admin, "one", 0.0)
    advance(workspace, admin)
    say(workspace, admin, "one", 1.0)
    say(workspace, admin, "one", 0.9)
    advance(workspace, admin)
    assert counted(workspace, admin) == (1, 0)


def test_feedback_waits_for_its_record(workspace: Workspace, admin: Caller) -> None:
    say(workspace, admin, "late", 1.0)
    assert advance(workspace, admin) == 0
    answered(workspace, admin, "late")
    assert advance(workspace, admin) == 1
    assert counted(workspace, admin) == (1, 0)


def test_feedback_on_nothing_holds_nobody_up(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    say(workspace, admin, "made-up", 0.0)
    clock.advance(31)
    answered(workspace, admin, "one")
    say(workspace, admin, "one", 1.0)
    assert advance(workspace, admin) == 2
    assert counted(workspace, admin) == (1, 0)
