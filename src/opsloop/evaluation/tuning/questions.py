"""Questions of a dataset, in two halves that do not change when rows are added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from opsloop.core.artifacts.store import sha256_hex
from opsloop.core.errors import InvalidInput
from opsloop.evaluation.evaluators.values import flag
from opsloop.evaluation.tuning.models import Question

QUESTION = ("question", "query", "text")
RELEVANT = ("relevant", "relevant_ids", "qrels", "sources")
ANSWERS = ("answers", "truth", "ground_truth")
LEAST = 10


def questions_of(rows: Iterable[Mapping[str, Any]], ref: str) -> list[Question]:
    """Each question once. Raises: InvalidInput when a row has none."""
    found: dict[str, Question] = {}
    for number, row in enumerate(rows):
        text = _first(row, QUESTION)
        if not isinstance(text, str) or not text.strip():
            field = f"{ref}, row {number}"
            raise InvalidInput(field=field, value=text, wanted=f"a question as {' or '.join(QUESTION)}")
        relevant, answers = _texts(_first(row, RELEVANT)), _texts(_first(row, ANSWERS))
        found.setdefault(text, Question(text, relevant, answers, flag(row, "answerable")))
    return list(found.values())


def halves(questions: Sequence[Question], ref: str) -> tuple[list[Question], list[Question]]:
    """Questions to choose on and questions to report on, by a hash of their text.

    Raises: InvalidInput when either has too few that say what is right.
    """
    parts: tuple[list[Question], list[Question]] = ([], [])
    for question in questions:
        parts[int(sha256_hex(question.text.encode())[:8], 16) % 2].append(question)
    for part in parts:
        measurable = sum(question.is_measurable for question in part)
        if measurable < LEAST:
            wanted = f"a dataset with at least {2 * LEAST} questions that name relevant passages or answers"
            raise InvalidInput(field="dataset", value=ref, wanted=wanted)
    return parts


def _first(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(map(str, value)) if isinstance(value, list | tuple | Mapping) else (str(value),)
