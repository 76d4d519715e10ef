"""The rows of a file on their way past a model, and the formats that they are read from and written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Row:
    """Args:
    place: where it stands, such as `line 3`.
    cells: by column; empty where the row cannot be read.
    fault: why it cannot be read, or None.
    """

    place: str
    cells: Mapping[str, Any]
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A file that is open.

    Args:
        columns: those of every row; None where each row has its own.
        is_text: whether every value is text, as in CSV: numbers are read out of it.
    """

    rows: Iterator[Row]
    columns: Sequence[str] | None
    is_text: bool = False


class Sink(Protocol):
    """What takes the rows that come out, in order."""

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None: ...


@dataclass(frozen=True, slots=True)
class FileFormat:
    """Args:
    opened: raises FileBroken where nothing of the file can be read.
    written: a sink whose file is whole once its context has ended. Args: the path, the names of its columns.
    """

    opened: Callable[[Path], AbstractContextManager[Given]]
    written: Callable[[Path, Sequence[str] | None], AbstractContextManager[Sink]]
