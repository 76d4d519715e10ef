from __future__ import annotations

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.evaluation.tuning.models import Question
from opsloop.evaluation.tuning.questions import halves, questions_of

ROWS = [{"question": f"What is {number}?", "relevant": [f"d{number}"]} for number in range(60)]


def test_a_row_is_read_by_its_usual_columns_and_a_question_counts_once() -> None:
    rows: list[dict[str, object]] = [
        {"text": "a", "qrels": {"x": 2}, "truth": "gold", "answerable": "true"},
        {"question": "b", "relevant": [], "answers": [], "answerable": False},
        {"text": "a"},
    ]
    assert questions_of(rows, "golden@1") == [
        Question("a", ("x",), ("gold",), True),
        Question("b", (), (), False),
    ]


def test_a_row_without_a_question_is_named() -> None:
    with pytest.raises(InvalidInput, match="golden@1, row 1"):
        questions_of([{"question": "a"}, {"question": " "}], "golden@1")


def test_a_question_stays_in_its_half_when_others_come() -> None:
    few, _ = halves(questions_of(ROWS[:50], "g@1"), "g@1")
    more, rest = halves(questions_of(ROWS, "g@1"), "g@1")
    assert set(few) <= set(more)
    assert not set(more) & set(rest)


def test_too_few_questions_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 20 questions"):
        halves(questions_of(ROWS[:8], "g@1"), "g@1")
