from __future__ import annotations

import json
from typing import Any

import pytest

from opsloop.core.caller import Caller, Role
from opsloop.core.clock import FakeClock
from opsloop.core.errors import Denied, InvalidInput, NotFound
from opsloop.core.workspace import Workspace
from opsloop.datasets import service as datasets
from opsloop.improvement.tuning import service
from opsloop.improvement.tuning.models import TuningData
from opsloop.releases import service as releases
from tests.integration.improvement.answers import answered, rate


@pytest.fixture
def chat(sqlite_workspace: Workspace, admin: Caller) -> Workspace:
    with sqlite_workspace.writing(admin) as uow:
        releases.create_endpoint(uow, "chat")
    return sqlite_workspace


def export(workspace: Workspace, by: Caller, format: str, **options: Any) -> TuningData:
    with workspace.writing(by) as uow:
        return service.export(uow, "chat", format, **options)


def lines(data: TuningData) -> list[tuple[str, str]]:
    return [(row["messages"][0]["content"], row["messages"][1]["content"]) for row in data.rows]


def test_what_people_liked_or_corrected_is_to_be_learned(chat: Workspace, admin: Caller) -> None:
    answered(chat, admin, "good", "how many days for ana@example.com?", "28, call +49 30 901820")
    rate(chat, admin, "good", thumb="up")
    answered(chat, admin, "corrected", "is parking free", "no")
    rate(chat, admin, "corrected", thumb="down", correction="yes")
    answered(chat, admin, "bad", "when is lunch", "never")
    rate(chat, admin, "bad", thumb="down")
    answered(chat, admin, "no_texts")
    rate(chat, admin, "no_texts", thumb="up")
    answered(chat, admin, "turns", "and then?", "so", turns=2)
    rate(chat, admin, "turns", thumb="up")
    answered(chat, admin, "elsewhere", "q", endpoint="other")
    rate(chat, admin, "elsewhere", thumb="up")
    found = export(chat, admin, "openai-chat")
    assert lines(found) == [("is parking free", "yes"), ("how many days for [EMAIL]?", "28, call [PHONE]")]
    assert found.left_out == {service.EARLIER: 1, service.NO_TEXTS: 1, service.UNCORRECTED: 1}
    assert found.answers == 5
    for row in found.rows:
        assert [each["role"] for each in row["messages"]] == ["user", "assistant"]
        assert json.loads(json.dumps(row)) == row


def test_preferences_come_from_corrections_and_from_two_answers_to_one_question(chat: Workspace, admin: Caller) -> None:
    answered(chat, admin, "liked", "Is parking free?", "Yes, for staff.", release="a")
    rate(chat, admin, "liked", thumb="up")
    answered(chat, admin, "disliked", "is parking FREE", "No idea.", release="b", arm="candidate")
    rate(chat, admin, "disliked", thumb="down")
    answered(chat, admin, "corrected", "when is lunch", "never")
    rate(chat, admin, "corrected", thumb="down", correction="at noon")
    answered(chat, admin, "alone", "what is the wifi", "secret")
    rate(chat, admin, "alone", thumb="up")
    answered(chat, admin, "same", "who signs", "the boss")
    rate(chat, admin, "same", thumb="down", correction="the boss")
    found = export(chat, admin, "preference")
    pairs = {(row["preferred_output"][0]["content"], row["non_preferred_output"][0]["content"]) for row in found.rows}
    assert pairs == {("Yes, for staff.", "No idea."), ("at noon", "never")}
    assert found.left_out == {service.NO_OTHER: 1, "both outputs are the same": 1}


def test_golden_questions_are_never_learned(chat: Workspace, admin: Caller) -> None:
    with chat.writing(admin) as uow:
        datasets.register(uow, "g", "g.jsonl", b'{"question": "Is parking free?", "truth": "Yes"}', tags=["golden"])
    answered(chat, admin, "one", "is parking free", "yes")
    rate(chat, admin, "one", thumb="up")
    found = export(chat, admin, "openai-chat")
    assert (found.rows, found.left_out) == ((), {service.GOLDEN: 1})


def test_the_same_row_is_learned_once_and_old_words_not_at_all(
    chat: Workspace, admin: Caller, clock: FakeClock
) -> None:
    answered(chat, admin, "old", "old question", "x")
    rate(chat, admin, "old", thumb="up")
    clock.advance(10 * 86_400)
    for number in range(3):
        answered(chat, admin, f"req_{number}", "is parking free", "yes")
        rate(chat, admin, f"req_{number}", thumb="up")
    found = export(chat, admin, "openai-chat", days=5)
    assert (lines(found), found.left_out) == ([("is parking free", "yes")], {service.DOUBLE: 2})


def test_texts_that_an_endpoint_keeps_as_they_are_leave_without_personal_data(chat: Workspace, admin: Caller) -> None:
    answered(chat, admin, "req_1", "mail ana@example.com", "to bob@example.com", release="r")
    rate(chat, admin, "req_1", csat=5, tags=["leave"])
    (row,) = export(chat, admin, "dataset").rows
    assert (row["question"], row["answer"], row["satisfied"], row["tags"]) == (
        "mail [EMAIL]", "to [EMAIL]", True, ["leave"]
    )  # fmt: skip


def test_what_is_wrong_is_named(chat: Workspace, admin: Caller) -> None:
    with pytest.raises(InvalidInput, match="openai-chat"):
        export(chat, admin, "parquet")
    with pytest.raises(InvalidInput, match="days"):
        export(chat, admin, "dataset", days=0)
    with pytest.raises(NotFound), chat.writing(admin) as uow:
        service.export(uow, "nowhere", "dataset")
    with pytest.raises(Denied):
        export(chat, Caller("key:watcher", Role.VIEWER), "dataset")
