"""A row in the words of a reader: what was asked, answered and expected."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsloop.evaluation.models import RowRecord

MOST_CHARS = 2_000
NOTHING = "\N{EN DASH}"
_LINE_CHARS = 60
_ANSWERS = ("answer", "output", "response", "prediction", "text")
_TRUTHS = ("ground_truth", "groundtruth", "truth", "expected", "expected_answer", "label", "answer")


@dataclass(frozen=True, slots=True)
class RowText:
    asked: str
    answered: str
    expected: str


def row_text(record: RowRecord, *, most: int = MOST_CHARS) -> RowText:
    """The texts of a row, each at most about `most` characters long; a longer one says how long it was."""
    answered = record.error if record.error is not None else _one(record.outputs, _ANSWERS)
    if record.skipped is not None:
        answered = f"not run: {record.skipped}"
    asked = {key: value for key, value in record.inputs.items() if value not in ([], "", None)}
    return RowText(
        shortened(_text(asked), most),
        shortened(answered, most),
        shortened(_one(record.data, _TRUTHS), most),
    )


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def _one(values: Mapping[str, Any], names: Sequence[str]) -> str:
    """The value under the first of the names that is there, else all of them."""
    name = next((name for name in names if name in values), None)
    return _text(values if name is None else values[name])


def _text(value: object) -> str:
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    if isinstance(value, str) and value:
        return value
    return NOTHING if value in (None, {}, [], "") else _pretty(value)


def _pretty(value: object) -> str:
    line = json.dumps(value, ensure_ascii=False, default=str)
    return line if len(line) <= _LINE_CHARS else json.dumps(value, indent=2, ensure_ascii=False, default=str)
