"""What a survey may ask."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.feedback.surveys import declaration

CSAT = {"id": "csat", "kind": "csat", "ask": "How satisfied are you?"}


def declared(*questions: Any, **more: Any) -> dict[str, Any]:
    return {"title": "How did we do?", "questions": list(questions), **more}


def test_defaults_are_spelt_out_when_it_is_stored() -> None:
    stored = declaration.stored(declaration.parse(declared(CSAT, {"id": "why", "kind": "text", "ask": "Why?"})))
    assert stored["valid_days"] == 30
    assert [each["required"] for each in stored["questions"]] == [True, False]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": "x"}, "questions"),
        (declared(), "questions"),
        (declared(CSAT, CSAT), "questions"),
        (declared(CSAT, {**CSAT, "id": "again"}), "questions"),
        (declared({**CSAT, "kind": "stars"}), "questions.0.kind"),
        (declared({**CSAT, "id": "No id"}), "questions.0.id"),
        (declared({**CSAT, "options": ["a"]}), "questions.0.options"),
        (declared({**CSAT, "kind": "choice", "options": ["a", "a"]}), "questions.0.options"),
        (declared({**CSAT, "ask": " "}), "questions.0.ask"),
        (declared({**CSAT, "colour": "red"}), "questions.0.colour"),
        (declared("csat"), "questions.0"),
        (declared(CSAT, valid_days=0), "valid_days"),
        (declared(CSAT, valid_days=True), "valid_days"),
        (declared(CSAT, endpoint="No endpoint"), "endpoint"),
        (declared(CSAT, colour="red"), "colour"),
        ({**declared(CSAT), "title": "x" * 301}, "title"),
    ],
)
def test_what_is_wrong_is_named(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        declaration.parse(wrong)
    assert refused.value.facts["field"] == field
