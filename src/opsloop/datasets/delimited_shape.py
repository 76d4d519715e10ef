"""What a look at the quotes and line ends of a CSV tells: how many records it has, if it is well-formed.

DuckDB reads CSV fast, and forgives what we do not: a quote that is never closed, spaces around quotes, an empty cell
too many. Where this look finds only what every reader takes the same way, DuckDB may read; everything else is read
record by record.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from opsloop.datasets.text import blocks


@dataclass(frozen=True, slots=True)
class Shape:
    """A well-formed file: records with its header, delimiters, whether a cell holds a line end, its longest block."""

    records: int
    delimiters: int
    any_broken_line: bool
    longest_bytes: int


def shape_of(file: str, path: Path, delimiter: str) -> Shape | None:
    """The shape; None when the file must be read record by record.

    Raises: FileBroken for what is no text, DatasetTooLarge.
    """
    look = _Look(delimiter)
    for _, block in blocks(file, path):
        look.at(block)
    return look.shape()


class _Look:
    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter.encode()
        self._in_quotes = False
        self._is_plain = True
        self._lines = self._records = self._delimiters = self._windows_ends = self._longest = 0

    def at(self, block: bytes) -> None:
        self._longest = max(self._longest, len(block))
        outside = self._outside(block) if b'"' in block or self._in_quotes else block
        ends = outside.count(b"\n")
        self._lines += block.count(b"\n")
        self._records += ends
        self._delimiters += outside.count(self._delimiter)
        is_blank = outside.startswith(b"\n") or b"\n\n" in outside
        if b"\r" in outside:
            windows_ends = outside.count(b"\r\n")
            self._windows_ends += windows_ends
            is_blank = is_blank or outside.startswith(b"\r\n") or b"\n\r\n" in outside
            self._is_plain &= outside.count(b"\r") == windows_ends
        self._is_plain &= not is_blank

    def shape(self) -> Shape | None:
        # The last line may have had no end of its own.
        is_uniform = self._windows_ends == 0 or self._records - self._windows_ends <= 1
        if self._in_quotes or not self._is_plain or not is_uniform:
            return None
        return Shape(self._records, self._delimiters, self._lines > self._records, self._longest)

    def _outside(self, block: bytes) -> bytes:
        """The block without what is inside of quotes; one quote stands for it."""
        pieces = block.split(b'"')
        began_inside = self._in_quotes
        self._in_quotes ^= len(pieces) % 2 == 0
        outside = b'"'.join(pieces[began_inside::2])
        outside = b'"' * began_inside + outside + b'"' * self._in_quotes
        # A quote written twice inside of quotes left two side by side.
        while b'""' in outside:
            outside = outside.replace(b'""', b'"')
        self._is_plain &= self._are_placed(outside, in_quotes=self._in_quotes)
        return outside

    def _are_placed(self, outside: bytes, *, in_quotes: bool) -> bool:
        """Whether each quote stands between delimiters or line ends; no two stand side by side."""
        quotes, cell = outside.count(b'"'), self._delimiter
        before = outside.startswith(b'"') + outside.count(cell + b'"') + outside.count(b'\n"')
        after = in_quotes + outside.count(b'"' + cell) + outside.count(b'"\n')
        if b"\r" in outside:
            after += outside.count(b'"\r')
        return before == quotes == after
