from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.caller import Caller, Role
from opsloop.core.errors import Denied, InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.datasets import lineage
from opsloop.datasets import service as datasets
from opsloop.datasets.errors import DatasetMissing
from opsloop.improvement.promotions import service
from opsloop.improvement.promotions.models import Draft, Promotion
from opsloop.improvement.promotions.service import (
    AlreadyGolden,
    ChangedMeanwhile,
    NotPromoted,
    RowContaminated,
    Wanted,
)
from opsloop.improvement.rated import AnswerMissing
from opsloop.releases import service as releases
from tests.integration.gateway.world import Shop
from tests.integration.improvement.answers import answered, rate

ROWS = [
    {"id": "a1", "question": "Is parking free?", "truth": "Yes.", "pages": [1]},
    {"id": "a2", "question": "When is lunch?", "truth": "At noon.", "pages": [2]},
]
ASKED = "How many days of leave do I have, asks ana.lima@example.com?"


def golden(workspace: Workspace, by: Caller, rows: Any = ROWS, name: str = "golden") -> None:
    with workspace.writing(by) as uow:
        datasets.register(uow, name, "rows.jsonl", "\n".join(json.dumps(row) for row in rows).encode(), tags=["golden"])


def promote(workspace: Workspace, by: Caller, request_id: str = "req_1", **given: Any) -> Promotion:
    options = {key: given.pop(key) for key in ("expected_base", "reason") if key in given}
    with workspace.writing(by) as uow:
        return service.promote(uow, Wanted(request_id, given.pop("dataset", "golden"), **given), **options)


def draft(workspace: Workspace, by: Caller, request_id: str = "req_1", **given: Any) -> Draft:
    with workspace.reading(by) as uow:
        return service.draft(uow, Wanted(request_id, "golden", **given))


def rows_of(workspace: Workspace, by: Caller, ref: str) -> list[dict[str, Any]]:
    with workspace.reading(by) as uow:
        return list(datasets.rows(uow, datasets.get(uow, ref)))


def test_a_corrected_answer_becomes_a_row_of_a_new_version(workspace: Workspace, admin: Caller) -> None:
    golden(workspace, admin)
    answered(workspace, admin, "req_1", ASKED)
    rate(workspace, admin, "req_1", thumb="down", correction="28 days; +49 30 901820 knows more.")
    seen = draft(workspace, admin)
    assert (seen.base, seen.duplicate, seen.found, seen.promoted) == ("golden@1", None, (), ())
    assert seen.question.before == ASKED
    assert seen.question.after == "How many days of leave do I have, asks [EMAIL]?"
    made = promote(workspace, admin, expected_base="golden@1")
    assert (made.version, made.before, made.rows) == ("golden@2", "golden@1", 3)
    assert rows_of(workspace, admin, "golden@1") == ROWS
    assert rows_of(workspace, admin, "golden")[:2] == ROWS
    assert rows_of(workspace, admin, "golden")[2] == {
        "id": "feedback-req_1",
        "question": "How many days of leave do I have, asks [EMAIL]?",
        "truth": "28 days; [PHONE] knows more.",
    }
    with workspace.reading(admin) as uow:
        version = datasets.get(uow, "golden")
        made_from = {(each.noun, each.target) for each in lineage.of_version(uow, version).made_from}
        assert made_from == {("request", "req_1"), ("dataset", "golden@1")}
        assert version.tags == ("golden",)
        assert lineage.made_from(uow, "request", "req_1") == ["golden@2"]


def test_the_same_question_is_not_promoted_twice(sqlite_workspace: Workspace, admin: Caller) -> None:
    golden(sqlite_workspace, admin)
    answered(sqlite_workspace, admin, "req_1", "is PARKING  free")
    assert draft(sqlite_workspace, admin, answer="Yes").duplicate == 1
    with pytest.raises(AlreadyGolden, match="row 1"):
        promote(sqlite_workspace, admin, answer="Yes")
    promote(sqlite_workspace, admin, question="Is parking free for guests?", answer="No.")
    with pytest.raises(AlreadyGolden, match="row 3"):
        promote(sqlite_workspace, admin, question="Is parking free for guests", answer="Yes.")


def test_a_dataset_that_is_not_there_is_made(sqlite_workspace: Workspace, admin: Caller) -> None:
    answered(sqlite_workspace, admin, "req_1", "Отпуск 休暇 👍?")
    assert promote(sqlite_workspace, admin, answer="28").version == "golden@1"
    (row,) = rows_of(sqlite_workspace, admin, "golden")
    assert row == {"id": "feedback-req_1", "question": "Отпуск 休暇 👍?", "answer": "28"}
    with pytest.raises(AlreadyGolden):
        promote(sqlite_workspace, admin, answer="28")


def test_numbers_that_identify_rows_go_on(sqlite_workspace: Workspace, admin: Caller) -> None:
    golden(sqlite_workspace, admin, [{"id": 7, "query": "a?", "expected": "b", "topic": "x"}])
    answered(sqlite_workspace, admin, "req_1", "c?")
    promote(sqlite_workspace, admin, answer="d")
    assert rows_of(sqlite_workspace, admin, "golden")[1] == {"id": 8, "query": "c?", "expected": "d"}


def test_a_row_that_a_prompt_or_training_data_holds_needs_a_reason(
    sqlite_workspace: Workspace, admin: Caller, tmp_path: Path
) -> None:
    asked = "may I bring my dog to the office on a friday in summer"
    shop = Shop(sqlite_workspace, tmp_path / "flows")
    shop.endpoint()
    shop.release(f'def answer(question: str, chat_history: list) -> dict:\n    """{asked}"""\n    return {{}}\n')
    with sqlite_workspace.reading(admin) as uow:
        (served,) = releases.releases(uow, "chat")
    golden(sqlite_workspace, admin)
    answered(sqlite_workspace, admin, "req_1", asked, release=served.id)
    found = draft(sqlite_workspace, admin, answer="Yes.").found
    assert [(each.column, each.exact) for each in found] == [("question", True)]
    assert "answer.py" in found[0].source
    with pytest.raises(RowContaminated, match=r"answer\.py"):
        promote(sqlite_workspace, admin, answer="Yes.")
    assert promote(sqlite_workspace, admin, answer="Yes.", reason="it is a docstring").version == "golden@2"

    other = "what is the number of the room where the printers of the third floor stand"
    golden(sqlite_workspace, admin, [{"text": other}], name="learned")
    with sqlite_workspace.writing(admin) as uow:
        lineage.note_use(uow, datasets.get(uow, "learned"), "training", "run_1")
    answered(sqlite_workspace, admin, "req_2", other)
    with pytest.raises(RowContaminated, match="learned@1"):
        promote(sqlite_workspace, admin, "req_2", answer="3.14")


def test_a_promotion_is_taken_back(workspace: Workspace, admin: Caller) -> None:
    golden(workspace, admin)
    with workspace.writing(admin) as uow, pytest.raises(NotPromoted):
        service.take_back(uow, "golden")
    answered(workspace, admin, "req_1", ASKED)
    promote(workspace, admin, answer="28 days.")
    with workspace.writing(admin) as uow:
        assert service.take_back(uow, "golden").ref == "golden@1"
    assert rows_of(workspace, admin, "golden") == ROWS
    assert len(rows_of(workspace, admin, "golden@2")) == 3


def test_what_changed_after_it_was_shown_is_shown_again(sqlite_workspace: Workspace, admin: Caller) -> None:
    golden(sqlite_workspace, admin)
    answered(sqlite_workspace, admin, "req_1", ASKED)
    golden(sqlite_workspace, admin, ROWS[:1])
    with pytest.raises(ChangedMeanwhile, match="golden@2 by now"):
        promote(sqlite_workspace, admin, answer="28", expected_base="golden@1")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "answer"),
        ({"answer": " "}, "answer"),
        ({"answer": "NUL \0"}, "answer"),
        ({"answer": "x", "question_column": "colour"}, "question_column"),
        ({"answer": "x", "answer_column": "question"}, "answer_column"),
        ({"answer": "x", "answer_column": "pages"}, "answer_column"),
    ],
)
def test_what_is_missing_is_named(
    sqlite_workspace: Workspace, admin: Caller, given: dict[str, Any], field: str
) -> None:
    golden(sqlite_workspace, admin)
    answered(sqlite_workspace, admin, "req_1", ASKED)
    with pytest.raises(InvalidInput) as refused:
        promote(sqlite_workspace, admin, **given)
    assert refused.value.facts["field"] == field


def test_without_texts_the_question_has_to_be_given(sqlite_workspace: Workspace, admin: Caller) -> None:
    answered(sqlite_workspace, admin, "req_1")
    with pytest.raises(InvalidInput, match="keeps no texts"):
        promote(sqlite_workspace, admin, answer="28")
    with pytest.raises(AnswerMissing):
        promote(sqlite_workspace, admin, "req_2", question="x", answer="y")
    with sqlite_workspace.reading(admin) as uow, pytest.raises(DatasetMissing):
        datasets.get(uow, "golden")


def test_a_viewer_promotes_nothing(sqlite_workspace: Workspace) -> None:
    with pytest.raises(Denied):
        promote(sqlite_workspace, Caller("key:watcher", Role.VIEWER), answer="28")
