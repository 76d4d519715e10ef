"""Where the message of a log's lines begins, found from columns that look alike in all lines, without configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

SAMPLE = 2_000
_MOST_COLUMNS = 14
# A share of lines: a log has continuation lines, and a thread's name may hold a space.
_ALIKE = 0.9
_READ = 1000
_MOST_BETWEEN = 2
_COLUMN = re.compile(r"[^\s|]+[\s|]*")
_DIGIT = re.compile(r"[0-9]")
_LEVEL = re.compile(
    r"[\[(<]?(?:TRACE|DEBUG|INFO|INFORMATION|NOTICE|WARN|WARNING|ERROR|ERR|SEVERE|CRITICAL|FATAL|[VDIWEF])[\])>]?:?",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the message.

    Args:
        columns: how many, separated by white space or `|`; 0 when there is no header.
        numbers: those of them that hold a digit; a line without half of them is a continuation and is all message.
    """

    columns: int
    numbers: frozenset[int]

    def message(self, text: str) -> str:
        """A line without its header; the whole line when it does not have one."""
        if not self.columns:
            return text
        columns = list(islice(_COLUMN.finditer(text, 0, _READ), self.columns))
        held = sum(at < len(columns) and _has_digit(columns[at][0]) for at in self.numbers)
        return text[columns[-1].end() :] if columns and 2 * held >= len(self.numbers) else text


def header_of(sample: Sequence[str]) -> Header:
    """The header of a log by its first lines, 2,000 or so.

    It ends with the last of the first columns that is alike in nine of ten lines: it holds a number, is a level, is the
    same sign (`-`), stands in brackets or ends in a colon. Up to two columns of other kinds before it (a host, a
    component) belong to it; after three, or after a name with a colon, the message has begun.
    """
    rows = [[each.strip(" \t|") for each in islice(_COLUMN.findall(text[:_READ]), _MOST_COLUMNS)] for text in sample]
    rows = [row for row in rows if row]
    end, numbers = 0, set[int]()
    for at in range(_MOST_COLUMNS):
        column = [row[at] for row in rows if len(row) > at]
        needed = _ALIKE * len(rows)
        if len(column) < max(needed, 10) or at - end > _MOST_BETWEEN:
            break
        if sum(map(_ends_header, column)) >= needed:
            end = at + 1
            break
        if sum(map(_has_digit, column)) >= needed:
            numbers.add(at)
            end = at + 1
        elif sum(map(_is_marked, column)) >= needed:
            end = at + 1
    return Header(end, frozenset(at for at in numbers if at < end)) if numbers else Header(0, frozenset())


def messages(lines: Iterable[str]) -> Iterator[str]:
    """The lines without their header, which is found from the first 2,000."""
    all_lines = iter(lines)
    sample = list(islice(all_lines, SAMPLE))
    header = header_of(sample)
    return map(header.message, chain(sample, all_lines))


def _has_digit(column: str) -> bool:
    return _DIGIT.search(column) is not None


def _ends_header(column: str) -> bool:
    """Whether it is a component as most formats write it last: `sshd[42]:`, `app.Server:`."""
    return column[-1] == ":" and column[0].isalpha() and _LEVEL.fullmatch(column) is None


def _is_marked(column: str) -> bool:
    if not any(map(str.isalnum, column)):
        return True
    return column[-1] == ":" or (column[0] == "[" and column[-1] == "]") or _LEVEL.fullmatch(column) is not None
