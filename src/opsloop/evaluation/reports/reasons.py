"""Why rows failed, the same reason told once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from opsloop.evaluation.models import RowRecord

_FIGURES = re.compile(r"\d+")
_CHARS = 300
_PLACES = 5


@dataclass(frozen=True, slots=True)
class Reason:
    """`metric` is the measure that failed, None when the flow did; `rows` holds the first places in the data."""

    metric: str | None
    text: str
    count: int
    rows: tuple[int, ...]


def reasons(records: Sequence[RowRecord]) -> tuple[Reason, ...]:
    """The most frequent first; texts that differ only in figures are one reason, told in the words of the first."""
    found: dict[tuple[str | None, str], list[RowRecord]] = {}
    said: dict[tuple[str | None, str], str] = {}
    for record in records:
        for metric, text in _of(record):
            line = " ".join(text.split())[:_CHARS]
            key = (metric, _FIGURES.sub("#", line))
            said.setdefault(key, line)
            found.setdefault(key, []).append(record)
    ordered = sorted(found.items(), key=lambda each: -len(each[1]))
    return tuple(
        Reason(key[0], said[key], len(rows), tuple(dict.fromkeys(row.row for row in rows[:_PLACES])))
        for key, rows in ordered
    )


def _of(record: RowRecord) -> list[tuple[str | None, str]]:
    """A row on which the flow failed is told once and not by every measure."""
    if record.error is not None:
        return [(None, record.error)]
    return list(record.errors.items())
