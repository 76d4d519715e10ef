from __future__ import annotations

from datetime import timedelta

import pytest

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.incidents.causes import service
from opsloop.incidents.causes.models import ChangeKind, Ranking, SuspectKind
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord


def serve(
    workspace: Workspace, clock: FakeClock, by: Caller, *, minutes: int, release: str, failing: float, ms: float = 50.0
) -> None:
    """Ten requests a minute of the endpoint `chat`; time goes on."""
    for minute in range(minutes):
        found = [
            RequestRecord(
                request_id=workspace.ids.new("req"),
                endpoint="chat",
                release=release,
                arm="stable",
                subject="5ub",
                started_at=clock.now() + timedelta(seconds=5 * number),
                duration_ms=ms + (minute * 7 + number) % 5,
                status="error" if (minute * 10 + number) % 100 < 100 * failing else "ok",
            )
            for number in range(10)
        ]
        with workspace.writing(by) as uow:
            records.ingest(uow, found)
        clock.advance(60)


def promote(workspace: Workspace, by: Caller, release: str) -> None:
    with workspace.writing(by) as uow:
        uow.audit("rollout.promoted", "endpoint/chat", rollout="rollout_1", release=release, share=1.0, reason="given")


def explain(workspace: Workspace, clock: FakeClock, by: Caller, *, minutes_ago: float) -> Ranking:
    now = clock.now()
    with workspace.reading(by) as uow:
        return service.explain(
            uow, subjects=["endpoint/chat"], started_at=now - timedelta(minutes=minutes_ago), until=now
        )


def test_a_release_that_fails_is_named_with_both_error_rates(
    workspace: Workspace, clock: FakeClock, admin: Caller
) -> None:
    promote(workspace, admin, "r6")
    serve(workspace, clock, admin, minutes=60, release="r6", failing=0.01)
    promote(workspace, admin, "r7")
    serve(workspace, clock, admin, minutes=20, release="r7", failing=0.4)
    found = explain(workspace, clock, admin, minutes_ago=19)
    first = found.suspects[0]
    assert found.abstained is None
    assert first.kind is SuspectKind.CHANGE
    assert first.change is not None
    assert (first.change.kind, first.change.before, first.change.after) == (ChangeKind.RELEASE, "r6", "r7")
    told = " ".join(first.evidence)
    assert "release r7 failed 80 of 200 requests (40.0 %), release r6 failed 6 of 600 requests (1.0 %)" in told
    assert any("took" in said for said in first.counter_evidence)


def test_a_release_whose_figures_are_those_of_the_one_before_is_not_confirmed(
    workspace: Workspace, clock: FakeClock, admin: Caller
) -> None:
    promote(workspace, admin, "r6")
    serve(workspace, clock, admin, minutes=60, release="r6", failing=0.01)
    promote(workspace, admin, "r7")
    serve(workspace, clock, admin, minutes=20, release="r7", failing=0.01)
    found = explain(workspace, clock, admin, minutes_ago=19)
    first = found.suspects[0]
    assert first.score <= 0.6
    assert any("(1.0 %), release r6 failed" in said for said in first.counter_evidence)


def test_a_release_that_did_well_until_the_start_is_hardly_blamed(
    workspace: Workspace, clock: FakeClock, admin: Caller
) -> None:
    promote(workspace, admin, "r6")
    serve(workspace, clock, admin, minutes=60, release="r6", failing=0.0)
    promote(workspace, admin, "r7")
    serve(workspace, clock, admin, minutes=30, release="r7", failing=0.0)
    serve(workspace, clock, admin, minutes=10, release="r7", failing=1.0)
    found = explain(workspace, clock, admin, minutes_ago=10)
    assert found.suspects[0].kind is SuspectKind.SERVICE
    blamed = [each for each in found.suspects if each.kind is SuspectKind.CHANGE]
    assert "release r7 failed 0 of 300 requests until the start" in " ".join(blamed[0].counter_evidence)


def test_a_candidate_that_was_taken_back_is_blamed_for_its_start_and_not_for_its_end(
    workspace: Workspace, clock: FakeClock, admin: Caller
) -> None:
    promote(workspace, admin, "r6")
    serve(workspace, clock, admin, minutes=60, release="r6", failing=0.01)
    with workspace.writing(admin) as uow:
        uow.audit("rollout.started", "endpoint/chat", rollout="rollout_2", release="r7", stable="r6", share=0.1)
    serve(workspace, clock, admin, minutes=2, release="r7", failing=0.4)
    with workspace.writing(admin) as uow:
        uow.audit("rollout.rolled_back", "endpoint/chat", rollout="rollout_2", release="r7", stable="r6")
    found = explain(workspace, clock, admin, minutes_ago=0)
    actions = {each.change.action for each in found.suspects if each.change is not None}
    assert "rollout.started" in actions
    assert "rollout.rolled_back" not in actions


def test_errors_without_a_change_blame_no_change(workspace: Workspace, clock: FakeClock, admin: Caller) -> None:
    serve(workspace, clock, admin, minutes=60, release="r6", failing=0.01)
    serve(workspace, clock, admin, minutes=20, release="r6", failing=0.5)
    found = explain(workspace, clock, admin, minutes_ago=20)
    assert [each.kind for each in found.suspects] == [SuspectKind.SERVICE]
    assert found.suspects[0].subject == "endpoint/chat"


def test_steady_traffic_is_answered_with_an_abstention(workspace: Workspace, clock: FakeClock, admin: Caller) -> None:
    serve(workspace, clock, admin, minutes=80, release="r6", failing=0.01)
    found = explain(workspace, clock, admin, minutes_ago=20)
    assert found.suspects == ()
    assert found.abstained is not None


def test_an_end_before_the_start_is_refused(sqlite_workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    now = clock.now()
    with sqlite_workspace.reading(admin) as uow, pytest.raises(InvalidInput, match="until"):
        service.explain(uow, subjects=["chat"], started_at=now, until=now - timedelta(seconds=1))
