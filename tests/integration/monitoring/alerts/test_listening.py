from __future__ import annotations

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.events.outbox import deliver_due
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.inline import run_due
from opsloop.core.jobs.registry import JobContext, job
from opsloop.core.workspace import Workspace
from opsloop.monitoring.alerts import service
from opsloop.monitoring.alerts.models import Alert, AlertState
from opsloop.monitoring.drift.events import DriftClosed, DriftDetected
from opsloop.releases.events import RolloutRolledBack
from opsloop.server import background
from tests.integration.monitoring.alerts.conftest import Receiver, evaluate

assert background  # loads every part, and listens to their events
DETECTED = DriftDetected("alarm_1", "iris", "rel_1", "iris@3", "petal", "petal moved up", 1.2)


@job("test.broken")
def broken(context: JobContext, payload: dict[str, object]) -> None:
    raise RuntimeError("no space left")


def emit(workspace: Workspace, by: Caller, *events: object) -> list[Alert]:
    with workspace.writing(by) as uow:
        for event in events:
            uow.emit(event)
    while deliver_due(workspace):
        pass
    with workspace.reading(by) as uow:
        return service.listed(uow)


def test_an_event_raises_an_alert_that_another_ends(workspace: Workspace, admin: Caller, receiver: Receiver) -> None:
    [found] = emit(workspace, admin, DETECTED)
    assert (found.rule, found.endpoint, found.state) == ("drift", "iris", AlertState.FIRING)
    assert found.summary == "drift.detected: petal moved up"
    [found] = evaluate(workspace, admin)
    assert found.state is AlertState.FIRING  # it is no state that is looked for
    [found] = emit(workspace, admin, DriftClosed("alarm_1", "iris", "rel_1", "reset", "cleaned"))
    assert found.state is AlertState.RESOLVED


def test_only_what_a_rule_asks_for_counts(workspace: Workspace, admin: Caller) -> None:
    by_hand = RolloutRolledBack("ro_1", "chat", "rel_2", "rel_1", "I did", by_analysis=False)
    assert emit(workspace, admin, by_hand) == []
    on_evidence = RolloutRolledBack("ro_1", "chat", "rel_2", "rel_1", "errors rose", by_analysis=True)
    [found] = emit(workspace, admin, on_evidence)
    assert found.rule == "rollout-rolled-back"


def test_an_alert_of_an_event_ends_when_its_time_is_over(
    workspace: Workspace, admin: Caller, clock: FakeClock, receiver: Receiver
) -> None:
    emit(workspace, admin, RolloutRolledBack("ro_1", "chat", "rel_2", "rel_1", "errors rose", by_analysis=True))
    clock.advance(3_599)
    assert evaluate(workspace, admin)[0].state is AlertState.FIRING
    clock.advance(1)
    assert evaluate(workspace, admin)[0].state is AlertState.RESOLVED


def test_a_job_that_fails_is_told(workspace: Workspace, admin: Caller) -> None:
    with workspace.writing(admin) as uow:
        jobs.enqueue(uow, "test.broken", {})
    run_due(workspace)
    [found] = emit(workspace, admin)
    assert (found.rule, found.labels) == ("job-failed", {"kind": "test.broken"})
    assert "no space left" in found.summary
