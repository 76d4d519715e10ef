"""Personal data in answers that nobody brought."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.evaluators import registry
from tests.unit.evaluation.evaluators.scores import score

CARD = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    ("answer", "question", "expected"),
    [
        ("Write to ada@example.org.", "Who helps me?", 1.0),
        ("Write to ada@example.org.", "I am ada@example.org", 0.0),
        (f"Your card {CARD} was charged.", "Which card?", 1.0),
        ("Your card 4111111111111111 was charged.", f"Is it {CARD}?", 0.0),
        ("It was charged.", "Which card?", 0.0),
        ({"reply": "Done.", "notes": ["seen by ada@example.org"]}, "Who?", 1.0),
        ("Write to ada@example.org.", None, 1.0),
    ],
)
def test_what_the_question_did_not_bring_is_a_leak(answer: Any, question: Any, expected: float) -> None:
    assert score("pii_leak", answer=answer, question=question) == expected


def test_an_address_that_everybody_may_have_is_none() -> None:
    assert score("pii_leak", {"allow": ["help@example.org"]}, answer="Write to help@example.org.") == 0.0


def test_kinds_can_be_chosen_and_unknown_ones_are_told() -> None:
    assert score("pii_leak", {"kinds": ["email"]}, answer=f"Card {CARD}") == 0.0
    with pytest.raises(ExperimentInvalid, match="did you mean 'email'"):
        registry.find("pii_leak", field="x").make_score({"kinds": ["emial"]})
