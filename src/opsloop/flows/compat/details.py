"""The rows of a run as a table: pandas' where it is installed, else one with what scripts use of that."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

WIDTH = 40


class Details:
    """Rows under columns."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> None:
        self._rows = [dict(row) for row in rows]
        self.columns = list(columns) or list(dict.fromkeys(name for row in rows for name in row))

    @property
    def shape(self) -> tuple[int, int]:
        return len(self._rows), len(self.columns)

    @property
    def empty(self) -> bool:
        return not self._rows

    def head(self, n: int = 5) -> Details:
        return Details(self._rows[:n], self.columns)

    def tail(self, n: int = 5) -> Details:
        return Details(self._rows[-n:] if n else [], self.columns)

    def iterrows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        yield from enumerate(self._rows)

    def to_dict(self, orient: str = "dict") -> Any:
        """Args:
        orient: `dict`, `list` or `records`, as in pandas.
        """
        if orient == "records":
            return [dict(row) for row in self._rows]
        if orient == "list":
            return {name: self[name] for name in self.columns}
        return {name: dict(enumerate(self[name])) for name in self.columns}

    def to_json(self, path: str | PathLike[str] | None = None, *, lines: bool = False, **_: Any) -> str | None:
        """The rows as JSON, one a line with `lines`; into a file when there is a path."""
        texts = [json.dumps(row, ensure_ascii=False, default=str) for row in self._rows]
        text = "\n".join(texts) if lines else f"[{', '.join(texts)}]"
        if path is None:
            return text
        Path(path).write_text(text, "utf-8")
        return None

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __getitem__(self, name: str | list[str]) -> Any:
        """A column's values; the columns of a list of names as a table."""
        if isinstance(name, list):
            return Details([{key: row.get(key) for key in name} for row in self._rows], name)
        if name not in self.columns:
            raise KeyError(name)
        return [row.get(name) for row in self._rows]

    def __repr__(self) -> str:
        cells = [list(self.columns), *[[_brief(row.get(name)) for name in self.columns] for row in self._rows]]
        widths = [max(len(line[at]) for line in cells) for at in range(len(self.columns))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
        )


def as_table(rows: Sequence[Mapping[str, Any]]) -> Any:
    """A pandas.DataFrame where pandas is installed."""
    try:
        pandas = import_module("pandas")  # heavy, and only there when somebody installed it
    except ImportError:
        return Details(rows)
    return pandas.DataFrame([dict(row) for row in rows])


def _brief(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split())
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"
