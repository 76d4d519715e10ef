"""Which columns of a golden dataset hold question and answer, and the row that fits it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.datasets.models import Column, ColumnType

QUESTIONS = ("question", "query", "input", "prompt", "user_input")
ANSWERS = ("answer", "truth", "ground_truth", "expected", "expected_answer", "reference", "output", "label")
IDS = ("id", "row_id", "key")


def question_of(schema: Sequence[Column], wanted: str | None) -> str:
    """Raises: InvalidInput."""
    return _named("question_column", schema, wanted, QUESTIONS)


def answer_of(schema: Sequence[Column], wanted: str | None) -> str:
    """Raises: InvalidInput."""
    return _named("answer_column", schema, wanted, ANSWERS)


def row(
    schema: Sequence[Column], *, question: tuple[str, str], answer: tuple[str, str], request_id: str, highest_id: int
) -> dict[str, Any]:
    """A row in the dataset's columns; what is not known of it is left out.

    Args:
        question, answer: column and text.
        highest_id: of a column of numbers that identifies rows.
    """
    made: dict[str, Any] = {}
    for column in schema:
        if column.name == question[0]:
            made[column.name] = question[1]
        elif column.name == answer[0]:
            made[column.name] = answer[1]
        elif column.name.lower() in IDS and column.type is ColumnType.TEXT:
            made[column.name] = f"feedback-{request_id}"
        elif column.name.lower() in IDS and column.type is ColumnType.INTEGER:
            made[column.name] = highest_id + 1
    return made


def _named(field: str, schema: Sequence[Column], wanted: str | None, usual: Sequence[str]) -> str:
    texts = [column.name for column in schema if column.type in (ColumnType.TEXT, ColumnType.EMPTY)]
    if wanted is not None:
        if wanted not in texts:
            raise InvalidInput(field=field, value=wanted, wanted=f"a column of text: {', '.join(texts)}")
        return wanted
    by_name = {name.lower(): name for name in reversed(texts)}
    found = next((by_name[name] for name in usual if name in by_name), None)
    if found is None:
        raise InvalidInput(f"{field}: is missing; wanted a column of text: {', '.join(texts)}", field=field)
    return found
