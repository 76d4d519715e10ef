"""Events: there when their transaction is, delivered once to each subscriber, again after a failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.events import outbox
from opsloop.core.events._tables import OutboxRow
from opsloop.core.events.types import event_type, restore
from opsloop.core.workspace import UnitOfWork, Workspace


@event_type("test.happened")
@dataclass(frozen=True)
class Happened:
    number: int
    note: str = ""


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What two subscribers heard; the second fails on its first call."""
    heard: list[tuple[str, int]] = []
    failures = [RuntimeError("away")]

    def first(uow: UnitOfWork, event: Any) -> None:
        heard.append(("first", event.number))

    def second(uow: UnitOfWork, event: Any) -> None:
        if failures:
            raise failures.pop()
        heard.append(("second", event.number))

    monkeypatch.setattr(outbox, "_SUBSCRIBERS", {Happened: {"first": first, "second": second}})
    return heard


def emit(workspace: Workspace, admin: Caller, number: int) -> None:
    with workspace.writing(admin) as uow:
        uow.emit(Happened(number))


def test_a_failing_subscriber_is_tried_again_and_the_others_are_not(
    workspace: Workspace, admin: Caller, clock: FakeClock, heard: list[tuple[str, int]]
) -> None:
    emit(workspace, admin, 1)
    assert outbox.deliver_due(workspace) == 0
    assert heard == [("first", 1)]
    assert outbox.deliver_due(workspace) == 0
    clock.advance(3)
    assert outbox.deliver_due(workspace) == 1
    assert heard == [("first", 1), ("second", 1)]
    clock.advance(600)
    assert outbox.deliver_due(workspace) == 0


def test_a_failing_event_does_not_hold_up_the_next(
    workspace: Workspace, admin: Caller, heard: list[tuple[str, int]]
) -> None:
    emit(workspace, admin, 1)
    emit(workspace, admin, 2)
    assert outbox.deliver_due(workspace) == 1
    assert ("second", 2) in heard


def test_an_event_of_a_transaction_that_failed_is_never_heard(
    workspace: Workspace, admin: Caller, heard: list[tuple[str, int]]
) -> None:
    with pytest.raises(RuntimeError, match="rolled back"):
        _emit_and_fail(workspace, admin)
    outbox.deliver_due(workspace)
    assert heard == []


def _emit_and_fail(workspace: Workspace, admin: Caller) -> None:
    with workspace.writing(admin) as uow:
        uow.emit(Happened(1))
        raise RuntimeError("rolled back")


def test_an_event_written_by_a_newer_version_is_read_without_its_new_fields() -> None:
    assert restore("test.happened", {"number": 3, "colour": "green"}) == Happened(3)
    assert restore("test.unheard_of", {}) is None


def test_an_event_that_cannot_be_read_holds_up_no_other(
    workspace: Workspace, admin: Caller, heard: list[tuple[str, int]]
) -> None:
    with workspace.writing(admin) as uow:
        uow.session.add(OutboxRow(type="test.happened", payload={}, created_at=uow.clock.now(), attempts=0))
    emit(workspace, admin, 1)
    outbox.deliver_due(workspace)
    assert heard == [("first", 1)]


def test_events_are_forgotten_a_week_after_they_were_delivered_and_not_before(
    workspace: Workspace, admin: Caller, clock: FakeClock, heard: list[tuple[str, int]]
) -> None:
    emit(workspace, admin, 1)
    outbox.deliver_due(workspace)
    clock.advance(3)
    outbox.deliver_due(workspace)
    clock.advance(7 * 86_400)
    emit(workspace, admin, 2)
    assert outbox.prune(workspace) == 0
    clock.advance(1)
    assert outbox.prune(workspace) == 1
    assert outbox.prune(workspace) == 0
    heard.clear()
    outbox.deliver_due(workspace)
    assert heard == [("first", 2), ("second", 2)]
