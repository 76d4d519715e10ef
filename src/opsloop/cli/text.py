"""Values as plain text for people: aligned, on one line each, safe to show on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from unicodedata import east_asian_width

GAP = "  "
NOTHING = "-"


def cell(value: object) -> str:
    """One value on one line; what would steer the terminal is shown as �."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(cell(each) for each in value) or NOTHING
    return "".join(letter if letter.isprintable() else " " if letter.isspace() else "�" for letter in str(value))


def plain(text: str) -> str:
    """Text of several lines, safe to show on a terminal."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "�" for letter in text)


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def percent(share: float | None) -> str:
    """A share of 0 to 1 as a percentage."""
    return NOTHING if share is None else f"{100 * share:.3g} %"


def duration(seconds: float) -> str:
    """How long, in the unit that fits: `12 s`, `3 min`, `2.5 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Aligned columns under headings; numbers stand right."""
    values = [list(row) for row in rows]
    if not values:
        return ""
    cells = [[cell(value) for value in row] for row in values]
    right = [all(isinstance(row[at], int | float | None) for row in values) for at in range(len(headings))]
    widths = [max(_width(row[at]) for row in [list(headings), *cells]) for at in range(len(headings))]
    lines = [[heading.upper() for heading in headings], *cells]
    return "\n".join(_line(line, widths, right) for line in lines)


def fields(pairs: Iterable[tuple[str, object]]) -> str:
    """`name  value` lines with the values aligned."""
    known = list(pairs)
    width = max((_width(name) for name, _ in known), default=0)
    return "\n".join(f"{_padded(name, width)}{GAP}{cell(value)}" for name, value in known)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = [_padded(text, width, right=at) for text, width, at in zip(cells, widths, right, strict=True)]
    return GAP.join(parts).rstrip()


def _padded(text: str, width: int, *, right: bool = False) -> str:
    room = " " * (width - _width(text))
    return room + text if right else text + room


def _width(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
