"""The audit trail: written with the work, broken by any change."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from opsloop.core.audit import keys, service
from opsloop.core.audit.models import Verification
from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace


def record(workspace: Workspace, admin: Caller, count: int) -> None:
    for number in range(count):
        with workspace.writing(admin) as uow:
            uow.audit("release.promoted", f"endpoint/chat-{number}", to="r7", share=0.1, note="größer → ✓")


def verify(workspace: Workspace, admin: Caller) -> Verification:
    key = keys.public_key(workspace.data_dir / keys.PUBLIC)
    with workspace.reading(admin) as uow:
        return service.verify(uow, key)


def test_a_trail_that_nobody_touched_verifies(workspace: Workspace, admin: Caller) -> None:
    record(workspace, admin, 5)
    found = verify(workspace, admin)
    assert (found.ok, found.events, found.checkpoints) == (True, 5, 5)


def fail_after_recording(workspace: Workspace, admin: Caller) -> None:
    with workspace.writing(admin) as uow:
        uow.audit("release.promoted", "endpoint/chat")
        raise RuntimeError


def test_an_audit_record_is_not_there_when_its_transaction_fails(workspace: Workspace, admin: Caller) -> None:
    with pytest.raises(RuntimeError):
        fail_after_recording(workspace, admin)
    assert verify(workspace, admin).events == 0


def test_a_deleted_tail_is_named(workspace: Workspace, admin: Caller) -> None:
    record(workspace, admin, 4)
    with workspace.database.writing() as session:
        session.execute(text("DELETE FROM audit_events WHERE seq = 4"))
    found = verify(workspace, admin)
    assert not found.ok
    assert found.broken_at == 4


def test_a_trail_that_grows_while_it_is_checked_verifies(workspace: Workspace, admin: Caller) -> None:
    record(workspace, admin, 3)
    key = keys.public_key(workspace.data_dir / keys.PUBLIC)
    with workspace.reading(admin) as uow:
        assert service.verify(uow, key).events == 3
        record(workspace, admin, 1)
        found = service.verify(uow, key)
    assert (found.ok, found.events, found.checkpoints) == (True, 3, 3)
    assert verify(workspace, admin).events == 4


def test_first_events_written_at_once_follow_each_other(workspace: Workspace, admin: Caller) -> None:
    both = threading.Barrier(2, timeout=60)

    def write(number: int) -> None:
        with workspace.writing(admin) as uow:
            uow.audit("release.promoted", f"endpoint/{number}")
            if not workspace.database.is_sqlite:  # which lets one in at a time
                both.wait()

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(write, number) for number in range(2)]:
            done.result()
    found = verify(workspace, admin)
    assert (found.ok, found.events) == (True, 2)
