"""Rows as a file gave them, before they have types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Records:
    """The rows of a file and where each stood.

    Args:
        rows: JSON objects; a key that a row does not have is missing, which is not null.
        places: the line each row starts at, where a format has lines; else rows are counted.
        columns: in the file's order, when the format declares them.
    """

    file: str
    rows: list[dict[str, Any]]
    places: Sequence[int] = ()
    columns: tuple[str, ...] = field(default=())

    def place(self, index: int) -> str:
        return f"line {self.places[index]}" if self.places else f"row {index + 1}"
