from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput
from opsloop.core.notices import service as notices
from opsloop.core.workspace import Workspace
from opsloop.monitoring import closing, records
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.errors import AlarmIsClosed
from opsloop.monitoring.alarms.models import Alarm, AlarmKind, AlarmState, Evidence, Outcome
from opsloop.monitoring.drift import baselines, watches
from opsloop.monitoring.labels import service as labels
from opsloop.monitoring.labels.models import GivenLabel, LabelState
from opsloop.monitoring.labels.window import labelled_window
from opsloop.monitoring.models import RequestRecord
from opsloop.monitoring.performance import testing
from opsloop.monitoring.tending import Tending

ABOUT = {
    "model": {"output": "species", "task": "classification"},
    "performance": {"metric": "accuracy", "figure": 0.95, "margin": 0.02, "false_alarms_every": 1000.0},
}


def answered(clock: FakeClock, request_id: str, said: list[Any], **changes: Any) -> RequestRecord:
    fields: dict[str, Any] = {
        "request_id": request_id,
        "endpoint": "iris",
        "release": "rel_1",
        "arm": "stable",
        "subject": "5ub",
        "started_at": clock.now(),
        "duration_ms": 0.5,
        "status": "ok",
        "rows": len(said),
        "inputs": msgspec.Raw(msgspec.json.encode([[float(n), 1.0] for n in range(len(said))])),
        "predictions": msgspec.Raw(msgspec.json.encode(said)),
    }
    return RequestRecord(**{**fields, **changes})


@pytest.fixture
def watched(workspace: Workspace, admin: Caller) -> Workspace:
    with workspace.writing(admin) as uow:
        watches.held(uow, "iris", "rel_1", model="iris@3", digest="abc", about=ABOUT, told_to=[{"url": "http://a"}])
    return workspace


def predicted(workspace: Workspace, by: Caller, clock: FakeClock, right: list[bool], start: int = 0) -> None:
    """One request of one row per answer; rows that are right were called `a`, as they are."""
    with workspace.writing(by) as uow:
        said = ["a" if each else "b" for each in right]
        records.ingest(uow, [answered(clock, f"req_{start + n}", [each]) for n, each in enumerate(said)])


def label(workspace: Workspace, by: Caller, count: int, start: int = 0) -> None:
    with workspace.writing(by) as uow:
        labels.add(uow, "iris", [GivenLabel(f"req_{start + n}", "a") for n in range(count)])


def found(workspace: Workspace, by: Caller) -> list[Alarm]:
    with workspace.reading(by) as uow:
        return alarms.listed(uow)


def test_labels_are_counted_once_and_a_good_model_raises_nothing(
    watched: Workspace, admin: Caller, clock: FakeClock
) -> None:
    predicted(watched, admin, clock, [True] * 60)
    label(watched, admin, 60)
    tending = Tending(watched)
    tending.tend()
    tending.tend()
    with watched.reading(admin) as uow:
        assert testing.standing_of(uow, "iris", "rel_1").labels == 60
        assert labels.counts(uow, "iris")[LabelState.COUNTED] == 60
    assert found(watched, admin) == []


def test_a_model_that_got_worse_raises_one_performance_alarm_and_tells_the_releases_webhook(
    watched: Workspace, admin: Caller, clock: FakeClock
) -> None:
    predicted(watched, admin, clock, [True] * 30 + [False] * 30)
    label(watched, admin, 50)
    Tending(watched).tend()
    label(watched, admin, 10, start=50)
    Tending(watched).tend()
    (alarm,) = found(watched, admin)
    assert (alarm.kind, alarm.feature, alarm.model) == (AlarmKind.PERFORMANCE, "species", "iris@3")
    assert alarm.sentence.startswith("labels show accuracy below the validated 0.95 since about label 31 of 50")
    assert alarm.score >= 1
    with watched.reading(admin) as uow:
        assert [each.kind for each in notices.listed(uow, about="endpoint/iris")] == ["drift.detected"]


def test_a_closed_performance_alarm_begins_the_test_anew(watched: Workspace, admin: Caller, clock: FakeClock) -> None:
    predicted(watched, admin, clock, [False] * 30)
    label(watched, admin, 30)
    Tending(watched).tend()
    (alarm,) = found(watched, admin)
    closed = closing.close(watched, admin, alarm.id, reason="the labels were wrong")
    assert (closed.state, closed.outcome, closed.reason) == (
        AlarmState.CLOSED, Outcome.RESET, "the labels were wrong"
    )  # fmt: skip
    with watched.reading(admin) as uow:
        assert testing.standing_of(uow, "iris", "rel_1").labels == 0
    with pytest.raises(AlarmIsClosed, match="the labels were wrong"):
        closing.close(watched, admin, alarm.id, reason="again")


def test_a_label_that_came_before_its_prediction_is_joined_and_counted(
    watched: Workspace, admin: Caller, clock: FakeClock
) -> None:
    label(watched, admin, 1)
    tending = Tending(watched)
    tending.tend()
    predicted(watched, admin, clock, [True])
    tending.tend()
    with watched.reading(admin) as uow:
        assert labels.counts(uow, "iris")[LabelState.COUNTED] == 1


def test_labels_of_a_release_that_promised_nothing_are_counted_for_nothing(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    predicted(workspace, admin, clock, [False] * 50)
    label(workspace, admin, 50)
    Tending(workspace).tend()
    assert found(workspace, admin) == []


def test_the_thread_counts_labels_as_they_come(watched: Workspace, admin: Caller, clock: FakeClock) -> None:
    tending = Tending(watched)
    tending.start()
    tending.stop()


def drifted(workspace: Workspace, by: Caller, clock: FakeClock) -> Alarm:
    evidence = Evidence("length", "length is larger", 1.2, since_at=clock.now())
    with workspace.writing(by) as uow:
        raised = alarms.raise_alarm(
            uow, AlarmKind.DRIFT, endpoint="iris", release="rel_1", model="iris@3", evidence=evidence
        )
    assert raised is not None
    return raised


def test_an_accepted_normal_keeps_the_rows_since_the_change_as_the_reference(
    watched: Workspace, admin: Caller, clock: FakeClock
) -> None:
    predicted(watched, admin, clock, [True] * 50)
    clock.advance(60)
    alarm = drifted(watched, admin, clock)
    predicted(watched, admin, clock, [True] * 250, start=50)
    closed = closing.close(watched, admin, alarm.id, reason="a new supplier", accept=True)
    with watched.reading(admin) as uow:
        stored = watches.get(uow, "iris", "rel_1")
    assert closed.outcome is Outcome.ACCEPTED
    assert stored is not None
    assert stored.generation == 2
    X, said = baselines.decoded(watched.artifacts.get(stored.baseline or ""), is_numeric=True)
    assert X.shape == (250, 2)
    assert set(said) == {"a"}


def test_too_few_rows_are_no_new_normal(watched: Workspace, admin: Caller, clock: FakeClock) -> None:
    alarm = drifted(watched, admin, clock)
    predicted(watched, admin, clock, [True] * 10)
    with pytest.raises(InvalidInput, match="only 10 rows are kept since the change; a reference needs 200"):
        closing.close(watched, admin, alarm.id, reason="a new supplier", accept=True)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2_001])
def test_an_alarm_is_closed_with_a_reason(watched: Workspace, admin: Caller, clock: FakeClock, reason: str) -> None:
    with pytest.raises(InvalidInput, match="reason"):
        closing.close(watched, admin, drifted(watched, admin, clock).id, reason=reason)


def test_a_window_holds_the_newest_labelled_rows_with_their_inputs_and_says_how_many_have_labels(
    watched: Workspace, admin: Caller, clock: FakeClock
) -> None:
    with watched.writing(admin) as uow:
        records.ingest(uow, [answered(clock, "many", ["a", "b", "a"])])
    clock.advance(60)
    predicted(watched, admin, clock, [True] * 5)
    with watched.writing(admin) as uow:
        labels.add(uow, "iris", [GivenLabel("many", "b", row=2), GivenLabel("req_0", "a")])
    with watched.reading(admin) as uow:
        window = labelled_window(uow, "iris", rows=10)
        newest = labelled_window(uow, "iris", rows=1)
    assert window.inputs == [[2.0, 1.0], [0.0, 1.0]]
    assert (window.labels, window.predicted) == (["b", "a"], ["a", "a"])
    assert window.sentence == "2 of 8 rows that iris predicted have labels"
    assert newest.request_ids == ["req_0"]


def test_a_window_of_an_endpoint_without_labels_is_empty(watched: Workspace, admin: Caller) -> None:
    with watched.reading(admin) as uow:
        window = labelled_window(uow, "iris")
    assert (window.labelled, window.served, window.since) == (0, 0, None)


def test_stored_rows_become_a_matrix_with_missing_numbers() -> None:
    assert np.isnan(baselines.matrix([[None, 1.0]], is_numeric=True)[0, 0])
    assert baselines.matrix([["a", None]], is_numeric=False).tolist() == [["a", None]]
