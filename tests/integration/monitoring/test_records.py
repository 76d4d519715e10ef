from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.workspace import Workspace
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord


def made(clock: FakeClock, request_id: str, **changes: Any) -> RequestRecord:
    fields: dict[str, Any] = {
        "request_id": request_id,
        "endpoint": "chat",
        "release": "rel_1",
        "arm": "stable",
        "subject": "5ub",
        "started_at": clock.now(),
        "duration_ms": 12.25,
        "status": "ok",
    }
    return RequestRecord(**{**fields, **changes})


def stored(workspace: Workspace, by: Caller, *batch: RequestRecord) -> None:
    with workspace.writing(by) as uow:
        records.ingest(uow, list(batch))


def test_a_record_is_read_back_as_it_was_written(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    clock.advance(0.123456)
    full = made(
        clock,
        "req_1",
        id="gw.1",
        arm="candidate",
        rollout="roll_1",
        candidate_share=0.05,
        status="error",
        error_type="NodeFailed",
        http_status=500,
        shielded=True,
        abstained=False,
        tokens_in=3,
        tokens_out=4,
        engine="offline",
        streamed=True,
    )
    stored(workspace, admin, full, made(clock, "req_2"))
    with workspace.reading(admin) as uow:
        found = records.since(uow, "chat", None)
    assert [record for _, record in found] == [full, made(clock, "req_2")]


def test_a_record_that_comes_twice_is_stored_once(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    stored(workspace, admin, made(clock, "req_1"), made(clock, "req_2"))
    stored(workspace, admin, made(clock, "req_2", status="error"), made(clock, "req_3"))
    with workspace.reading(admin) as uow:
        found = records.since(uow, "chat", None)
    assert [(record.request_id, record.status) for _, record in found] == [
        ("req_1", "ok"),
        ("req_2", "ok"),
        ("req_3", "ok"),
    ]


def test_two_requests_with_the_callers_own_id_are_two_records(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    stored(workspace, admin, made(clock, "mine", id="gw.1"), made(clock, "mine", id="gw.2"))
    with workspace.reading(admin) as uow:
        assert len(records.newest(uow, request_id="mine")) == 2


def test_a_reader_that_remembers_its_number_sees_each_record_once(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    seen: list[str] = []
    after = 0
    for number in range(7):
        stored(workspace, admin, made(clock, f"req_{number}", rollout="roll_1"), made(clock, f"other_{number}"))
        with workspace.reading(admin) as uow:
            for seq, record in records.since(uow, "chat", "roll_1", after, limit=3):
                after = seq
                seen.append(record.request_id)
    assert seen == [f"req_{number}" for number in range(7)]


def test_pages_of_the_newest_records_do_not_overlap(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    stored(workspace, admin, *(made(clock, f"req_{number}") for number in range(5)))
    with workspace.reading(admin) as uow:
        first = records.newest(uow, limit=2)
        second = records.newest(uow, before_seq=first[-1][0], limit=2)
    assert [record.request_id for _, record in first + second] == ["req_4", "req_3", "req_2", "req_1"]


def test_ingest_rings_the_bell(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    stored(workspace, admin, made(clock, "req_1"))
    assert workspace.bell("records").wait(timeout_s=0)


def test_an_old_spool_line_without_newer_fields_is_read() -> None:
    line = (
        b'{"request_id":"r","endpoint":"chat","release":"rel_1","arm":"stable","subject":"s",'
        b'"started_at":"2027-01-01T00:00:00Z","duration_ms":1.0,"status":"ok","a_later_field":1}'
    )
    found = msgspec.json.decode(line, type=RequestRecord)
    assert found.key == "r"
    assert found.started_at.utcoffset() == timedelta(0)
