"""Answers that are JSON: a schema, and fields."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.evaluation.errors import CannotScore, ExperimentInvalid
from opsloop.evaluation.evaluators import registry
from tests.unit.evaluation.evaluators.scores import score

SCHEMA = {
    "type": "object",
    "required": ["city"],
    "properties": {"city": {"type": "string"}, "people": {"type": "integer", "minimum": 0}},
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"city": "Paris", "people": 2}, 1.0),
        ('{"city": "Paris"}', 1.0),
        ('```json\n{"city": "Paris"}\n```', 1.0),
        ('Here it is: {"city": "Paris"}', 0.0),
        ('{"city": "Paris", "people": -1}', 0.0),
        ('{"city": "Paris", "people": NaN}', 0.0),
        ('{"city": "Paris", "more": 1}', 0.0),
        ("no JSON", 0.0),
        ([], 0.0),
    ],
)
def test_an_answer_is_held_against_the_schema(answer: Any, expected: float) -> None:
    assert score("json_schema", {"schema": SCHEMA}, answer=answer) == expected


def test_each_row_can_have_a_schema_of_its_own() -> None:
    assert score("json_schema", answer="3", schema={"type": "integer"}) == 1.0
    assert score("json_schema", answer="3", schema='{"type": "string"}') == 0.0
    assert score("json_schema", answer="3") is None
    with pytest.raises(CannotScore, match="wanted a JSON schema"):
        score("json_schema", answer="3", schema={"type": "nonsense"})


@pytest.mark.parametrize("schema", [{"type": "nonsense"}, "text", ["list"]])
def test_a_schema_that_is_none_is_refused_before_any_row(schema: Any) -> None:
    with pytest.raises(ExperimentInvalid, match=r"options\.schema"):
        registry.find("json_schema", field="x").make_score({"schema": schema})


def test_a_schema_fetches_nothing() -> None:
    with pytest.raises(CannotScore, match="not in it"):
        score("json_schema", {"schema": {"$ref": "http://127.0.0.1:9/secret.json"}}, answer="3")


def test_a_json_nested_without_end_is_no_crash() -> None:
    assert score("json_schema", {"schema": SCHEMA}, answer="[" * 100_000) == 0.0


TRUTH = {"order": {"id": 7, "items": ["a", "b"]}, "total": 12.5, "paid": True}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (TRUTH, 1.0),
        ({"order": {"id": 7.0, "items": ["a", "x"]}, "total": 12.5, "paid": True}, 4 / 5),
        ({"order": {"id": 7, "items": ["a"]}, "total": 12.5, "paid": 1}, 3 / 5),  # 1 is not true
        ('{"order": {"id": 7}}', 1 / 5),
        ("none", 0.0),
    ],
)
def test_the_share_of_equal_fields_counts(answer: Any, expected: float) -> None:
    assert score("json_match", answer=answer, truth=TRUTH) == pytest.approx(expected)


def test_fields_can_be_chosen_and_numbers_may_differ_a_little() -> None:
    near = {"order": {"id": 7, "items": ["x", "y"]}, "total": 12.52, "paid": False}
    assert score("json_match", {"fields": ["total"], "tolerance": 0.05}, answer=near, truth=TRUTH) == 1.0
    assert score("json_match", {"fields": ["order"]}, answer=near, truth=TRUTH) == pytest.approx(1 / 3)
    assert score("json_match", {"all": True}, answer=near, truth=TRUTH) == 0.0
    assert score("json_match", {"strict": True}, answer={"a": 1, "b": 2}, truth={"a": 1}) == 0.5
    assert score("json_match", answer={"a": 1}, truth={}) == 0.0


def test_a_truth_that_is_no_json_is_said() -> None:
    with pytest.raises(CannotScore, match="truth is 'x'; wanted JSON"):
        score("json_match", answer={}, truth="x")
