from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.errors import Denied, InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.monitoring import records
from opsloop.monitoring.labels import service as labels
from opsloop.monitoring.labels.models import Answer, GivenLabel, LabelState, Said
from opsloop.monitoring.models import RequestRecord


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
        "inputs": msgspec.Raw(msgspec.json.encode([[1.0]] * len(said))),
        "predictions": msgspec.Raw(msgspec.json.encode(said)),
    }
    return RequestRecord(**{**fields, **changes})


def stored(workspace: Workspace, by: Caller, *batch: RequestRecord) -> None:
    with workspace.writing(by) as uow:
        records.ingest(uow, list(batch))


def add(workspace: Workspace, by: Caller, *given: GivenLabel) -> list[Answer]:
    with workspace.writing(by) as uow:
        return labels.add(uow, "iris", list(given))


def said(answers: list[Answer]) -> list[Said]:
    return [each.outcome for each in answers]


def states(workspace: Workspace, by: Caller) -> dict[LabelState, int]:
    with workspace.reading(by) as uow:
        return {state: count for state, count in labels.counts(uow, "iris").items() if count}


def test_labels_of_predicted_rows_are_kept(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    stored(workspace, admin, answered(clock, "req_1", ["setosa", "virginica"]))
    answers = add(workspace, admin, GivenLabel("req_1", "setosa"), GivenLabel("req_1", "versicolor", row=1))
    assert said(answers) == [Said.KEPT, Said.KEPT]
    assert states(workspace, admin) == {LabelState.JOINED: 2}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (GivenLabel("req_1", "setosa", row=2), "row 2 is beyond the request's 2 rows"),
        (GivenLabel("req_1", "setosa", row=-1), "row is -1; wanted a whole number from 0"),
        (GivenLabel("req_1", "setosa", row=True), "row is True"),
        (GivenLabel("req 1", "setosa"), "request_id is 'req 1'"),
        (GivenLabel("req_1", 3), "label is 3; the model predicts texts such as 'setosa'"),
        (GivenLabel("req_1", float("inf")), "label is inf"),
        (GivenLabel("req_1", None), "label is None"),
        (GivenLabel("req_1", ["setosa"]), "label is ['setosa']"),
        (GivenLabel("req_1", "a\0b"), "label is 'a\\x00b'"),
    ],
)
def test_a_label_that_is_wrong_is_refused_by_itself(
    workspace: Workspace, admin: Caller, clock: FakeClock, given: GivenLabel, reason: str
) -> None:
    stored(workspace, admin, answered(clock, "req_1", ["setosa", "virginica"]))
    refused, kept = add(workspace, admin, given, GivenLabel("req_1", "setosa"))
    assert (refused.outcome, kept.outcome) == (Said.REFUSED, Said.KEPT)
    assert (refused.reason or "").startswith(reason)


def test_a_label_for_a_row_that_was_not_kept_is_refused(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    stored(workspace, admin, answered(clock, "req_1", [0, 1], rows=5000))
    (answer,) = add(workspace, admin, GivenLabel("req_1", 1, row=3000))
    assert answer.reason == "row 3000 was not kept: of this request the first 2 rows are"


def test_numbers_are_labels_of_numbers_whole_or_not(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    stored(workspace, admin, answered(clock, "req_1", [1.5, 2]))
    answers = add(workspace, admin, GivenLabel("req_1", 2), GivenLabel("req_1", 2.5, row=1))
    assert said(answers) == [Said.KEPT, Said.KEPT]


def test_a_label_that_comes_twice_is_the_same_and_another_one_changes_it(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    stored(workspace, admin, answered(clock, "req_1", [0]))
    first = add(workspace, admin, GivenLabel("req_1", 0), GivenLabel("req_1", 0), GivenLabel("req_1", 1))
    second = add(workspace, admin, GivenLabel("req_1", 1))
    assert said(first + second) == [Said.KEPT, Said.SAME, Said.CHANGED, Said.SAME]
    assert states(workspace, admin) == {LabelState.JOINED: 1}


def test_a_label_waits_for_its_prediction_and_is_joined_when_it_comes(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    (early,) = add(workspace, admin, GivenLabel("req_1", 1))
    assert (early.outcome, states(workspace, admin)) == (Said.WAITING, {LabelState.WAITING: 1})
    stored(workspace, admin, answered(clock, "req_1", [0]))
    with workspace.writing(admin) as uow:
        assert labels.join_waiting(uow, kept_for=timedelta(days=30)) == 1
    assert states(workspace, admin) == {LabelState.JOINED: 1}


def test_a_waiting_label_that_does_not_go_with_its_prediction_is_refused_then(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    add(workspace, admin, GivenLabel("req_1", "setosa"), GivenLabel("req_1", 1, row=7))
    stored(workspace, admin, answered(clock, "req_1", [0]))
    with workspace.writing(admin) as uow:
        assert labels.join_waiting(uow, kept_for=timedelta(days=30)) == 0
    assert states(workspace, admin) == {LabelState.REFUSED: 2}
    assert said(add(workspace, admin, GivenLabel("req_1", 1))) == [Said.CHANGED]


def test_a_label_whose_prediction_never_comes_is_given_up(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    add(workspace, admin, GivenLabel("nobodys", 1))
    clock.advance(31 * 86_400)
    with workspace.writing(admin) as uow:
        labels.join_waiting(uow, kept_for=timedelta(days=30))
    assert states(workspace, admin) == {LabelState.REFUSED: 1}


def test_an_id_that_two_requests_had_is_told_apart_by_the_id_of_the_record(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    stored(workspace, admin, answered(clock, "mine", [0], id="gw.1"), answered(clock, "mine", [0], id="gw.2"))
    ambiguous, precise = add(workspace, admin, GivenLabel("mine", 1), GivenLabel("gw.2", 1))
    assert ambiguous.reason is not None
    assert ambiguous.reason.startswith("2 requests came under this id; name one of them by its record's id, such as gw")
    assert precise.outcome is Said.KEPT


def test_an_attempt_that_nobody_got_the_answer_of_takes_no_label(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    stored(workspace, admin, answered(clock, "req_1", [0], id="gw.1"))
    stored(workspace, admin, answered(clock, "req_1~candidate", [1], id="gw.2", release="rel_2"))
    assert said(add(workspace, admin, GivenLabel("req_1", 1))) == [Said.KEPT]


def test_thousands_of_labels_go_in_one_call_and_more_are_refused(
    workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    stored(workspace, admin, *(answered(clock, f"req_{number}", [0]) for number in range(1_200)))
    answers = add(workspace, admin, *(GivenLabel(f"req_{number}", 1) for number in range(1_200)))
    assert set(said(answers)) == {Said.KEPT}
    with pytest.raises(InvalidInput, match="at most 10,000 labels"):
        add(workspace, admin, *[GivenLabel("req_1", 1)] * 10_001)


def test_whoever_may_only_look_gives_no_labels(workspace: Workspace) -> None:
    with pytest.raises(Denied):
        add(workspace, Caller("key:viewer", Role.VIEWER), GivenLabel("req_1", 1))
