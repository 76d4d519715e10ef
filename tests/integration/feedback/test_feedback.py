from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.feedback import service
from opsloop.feedback.models import Feedback


def add(workspace: Workspace, by: Caller, request_id: str, **given: Any) -> Feedback:
    with workspace.writing(by) as uow:
        return service.add(uow, request_id, **given)


def test_a_thumb_is_a_score_too(workspace: Workspace, admin: Caller) -> None:
    up = add(workspace, admin, "req_1", thumb="up", comment=" helpful ")
    down = add(workspace, admin, "req_2", thumb="down")
    assert (up.score, up.thumb, up.comment, up.created_by) == (1.0, "up", "helpful", admin.name)
    assert (down.score, down.comment) == (0.0, None)
    with workspace.reading(admin) as uow:
        assert service.since(uow) == [up, down]
        assert service.since(uow, up.seq) == [down]
        assert service.newest(uow, limit=1) == [down]
        assert service.newest(uow, before_seq=down.seq) == [up]


def test_a_comment_is_kept_without_personal_data(workspace: Workspace, admin: Caller) -> None:
    kept = add(workspace, admin, "req_1", thumb="down", comment="mail me: maria@example.com, card 4111 1111 1111 1111")
    assert kept.comment == "mail me: [EMAIL], card [PAYMENT_CARD]"


def test_a_comment_is_kept_as_it_is_where_the_settings_say_so(
    sqlite_workspace: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSLOOP_REDACT_STORED", "false")
    assert (
        add(sqlite_workspace, admin, "req_1", thumb="up", comment="I am a@example.com").comment == "I am a@example.com"
    )


def test_new_feedback_rings_the_bell_of_records(workspace: Workspace, admin: Caller) -> None:
    add(workspace, admin, "req_1", score=0.5)
    assert workspace.bell("records").wait(timeout_s=0)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "score"),
        ({"score": 0.5, "thumb": "up"}, "score"),
        ({"score": 1.01}, "score"),
        ({"score": -0.01}, "score"),
        ({"score": float("nan")}, "score"),
        ({"thumb": "sideways"}, "thumb"),
        ({"thumb": "up", "comment": "x" * 4_001}, "comment"),
        ({"thumb": "up", "comment": "NUL \0"}, "comment"),
        ({"thumb": "up", "comment": "half a pair \ud83d"}, "comment"),
    ],
)
def test_feedback_in_the_wrong_form_names_its_field(
    sqlite_workspace: Workspace, admin: Caller, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        add(sqlite_workspace, admin, "req_1", **given)
    assert refused.value.facts["field"] == field


@pytest.mark.parametrize("request_id", ["", "a b", "x" * 101, "req_1\n", "ré"])
def test_a_malformed_request_id_is_refused(sqlite_workspace: Workspace, admin: Caller, request_id: str) -> None:
    with pytest.raises(InvalidInput, match="request_id"):
        add(sqlite_workspace, admin, request_id, thumb="up")


def test_summary_counts_the_newest_word_on_each_request(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    start = clock.now()
    add(workspace, admin, "before", thumb="down")
    clock.advance(10)
    add(workspace, admin, "req_1", thumb="down")
    add(workspace, admin, "req_1", thumb="up", comment="after a second look")
    add(workspace, admin, "req_2", score=0.25)
    clock.advance(10)
    add(workspace, admin, "after", thumb="down")
    span = {"since": start + timedelta(seconds=10), "until": start + timedelta(seconds=20)}
    with workspace.reading(admin) as uow:
        found = service.summary(uow, **span)
        nothing = service.summary(uow, since=start - timedelta(days=2), until=start - timedelta(days=1))
    assert (found.count, found.ups, found.downs, found.comments) == (2, 1, 0, 1)
    assert found.mean_score == pytest.approx(0.625)
    assert found.satisfaction == 0.5
    assert (nothing.count, nothing.mean_score, nothing.satisfaction) == (0, None, None)


def test_good_and_bad_words_are_told_apart(workspace: Workspace, admin: Caller) -> None:
    add(workspace, admin, "req_1", thumb="down")
    add(workspace, admin, "req_2", csat=3, tags=["Leave"], correction="write to ana@example.com")
    add(workspace, admin, "req_3", csat=4)
    add(workspace, admin, "req_4", score=0.5)
    with workspace.reading(admin) as uow:
        bad, good = service.newest(uow, satisfied=False), service.newest(uow, satisfied=True)
        found = service.summary(uow, since=uow.clock.now(), until=uow.clock.now() + timedelta(seconds=1))
    assert [each.request_id for each in bad] == ["req_2", "req_1"]
    assert [each.request_id for each in good] == ["req_4", "req_3"]
    assert [each.is_satisfied for each in (*bad, *good)] == [False, False, True, True]
    assert (bad[0].score, bad[0].tags, bad[0].correction) == (0.5, ("leave",), "write to [EMAIL]")
    assert found.satisfaction == 0.5
