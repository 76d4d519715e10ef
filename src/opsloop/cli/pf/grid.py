"""Rows in a grid, as `pf` prints them and scripts cut them apart."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence

from opsloop.cli import text

_LEAST_WIDTH = 8


def grid(columns: Sequence[str], rows: Sequence[Sequence[object]], width: int | None = None) -> str:
    """Rows in a grid with their number before them; cells are wrapped so that it fits a terminal.

    Args:
        width: letters of a line; unset: those of the terminal.
    """
    cells = [["", *columns], *([str(at), *map(_cell, row)] for at, row in enumerate(rows))]
    widths = _widths(cells, width or shutil.get_terminal_size((120, 24)).columns)
    rule = "+" + "+".join("-" * (each + 2) for each in widths) + "+"
    lines = [rule, *_lines(cells[0], widths), rule.replace("-", "=")]
    for row in cells[1:]:
        lines += [*_lines(row, widths), rule]
    return "\n".join(lines)


def _widths(cells: Sequence[Sequence[str]], width: int) -> list[int]:
    """As wide as what is in them, while there is room; then the widest give way."""
    widths = [max(_longest(row[at]) for row in cells) for at in range(len(cells[0]))]
    room = width - 3 * len(widths) - 1
    while sum(widths) > room and max(widths) > _LEAST_WIDTH:
        widest = widths.index(max(widths))
        others = sorted(widths)[-2] if len(widths) > 1 else _LEAST_WIDTH
        widths[widest] = max(_LEAST_WIDTH, min(widths[widest] - 1, max(others, widths[widest] - (sum(widths) - room))))
    return widths


def _lines(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    wrapped = [
        [part for each in cell.split("\n") for part in (textwrap.wrap(each, width) or [""])]
        for cell, width in zip(cells, widths, strict=True)
    ]
    height = max(len(parts) for parts in wrapped)
    return [
        "| "
        + " | ".join(
            (parts[at] if at < len(parts) else "").ljust(width) for parts, width in zip(wrapped, widths, strict=True)
        )
        + " |"
        for at in range(height)
    ]


def _cell(value: object) -> str:
    return "" if value is None else text.plain(str(value)).expandtabs(4)


def _longest(cell: str) -> int:
    return max(len(each) for each in cell.split("\n"))
