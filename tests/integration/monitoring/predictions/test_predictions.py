from __future__ import annotations

from typing import Any

import msgspec
import pytest

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.workspace import Workspace
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord
from opsloop.monitoring.predictions import service as predictions
from opsloop.monitoring.predictions.pruning import prune

DAY_S = 86_400


def answered(clock: FakeClock, request_id: str, rows: list[list[Any]], **changes: Any) -> RequestRecord:
    fields: dict[str, Any] = {
        "request_id": request_id,
        "endpoint": "iris",
        "release": "rel_1",
        "arm": "stable",
        "subject": "5ub",
        "started_at": clock.now(),
        "duration_ms": 0.5,
        "status": "ok",
        "rows": len(rows),
        "inputs": msgspec.Raw(msgspec.json.encode(rows)),
        "predictions": msgspec.Raw(msgspec.json.encode([0] * len(rows))),
        "drift_score": 0.25,
    }
    return RequestRecord(**{**fields, **changes})


def stored(workspace: Workspace, by: Caller, *batch: RequestRecord) -> None:
    with workspace.writing(by) as uow:
        records.ingest(uow, list(batch))


def kept(workspace: Workspace, by: Caller) -> list[str]:
    with workspace.reading(by) as uow:
        return [each.request_id for each in predictions.newest(uow, "iris")]


def test_rows_are_kept_with_what_was_predicted(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    stored(workspace, admin, answered(clock, "req_1", [[5.1, None, 1.4], [4.9, 3.0, 1.4]]))
    with workspace.reading(admin) as uow:
        (found,) = predictions.newest(uow, "iris")
    assert found.inputs == [[5.1, None, 1.4], [4.9, 3.0, 1.4]]
    assert found.predictions == [0, 0]
    assert (found.rows, found.drift_score, found.release, found.started_at) == (2, 0.25, "rel_1", clock.now())


def test_rows_that_come_twice_are_kept_once(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    stored(workspace, admin, answered(clock, "req_1", [[1]]))
    stored(workspace, admin, answered(clock, "req_1", [[2]]), answered(clock, "req_2", [[3]]))
    assert kept(workspace, admin) == ["req_2", "req_1"]


def test_what_answers_no_rows_and_what_failed_keeps_none(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    stored(workspace, admin, answered(clock, "req_1", []), answered(clock, "req_2", [[1]], status="error"))
    assert kept(workspace, admin) == []


def test_an_attempt_beside_the_answer_is_kept_and_is_no_answer(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    stored(workspace, admin, answered(clock, "req_1", [[1]]), answered(clock, "req_1~candidate", [[1]]))
    assert kept(workspace, admin) == ["req_1"]


@pytest.mark.parametrize("text", [b'[["\xff"]]', b'[["\\ud800"]]', b'[["\\u0000"]]'])
def test_text_that_a_caller_broke_does_not_hold_up_the_batch(
    workspace: Workspace, admin: Caller, clock: FakeClock, text: bytes
) -> None:
    stored(workspace, admin, answered(clock, "req_1", [[1]], inputs=msgspec.Raw(text)), answered(clock, "req_2", [[1]]))
    assert kept(workspace, admin) == ["req_2", "req_1"]


def test_predictions_past_their_days_go(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    stored(workspace, admin, answered(clock, "req_1", [[1]]))
    clock.advance(29 * DAY_S)
    stored(workspace, admin, answered(clock, "req_2", [[1]]))
    assert prune(workspace) == 0
    clock.advance(2 * DAY_S)
    assert prune(workspace) == 1
    assert kept(workspace, admin) == ["req_2"]


def test_the_oldest_predictions_over_the_number_of_rows_go(
    workspace: Workspace, admin: Caller, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSLOOP_PREDICTIONS_KEPT_TOTAL", "1000")
    for number in range(4):
        clock.advance(1)
        stored(workspace, admin, answered(clock, f"req_{number}", [[1]] * 400))
    assert prune(workspace) == 2
    assert kept(workspace, admin) == ["req_3", "req_2"]
    assert prune(workspace) == 0
