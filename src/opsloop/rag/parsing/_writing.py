"""The text of a document as it grows, in plain Markdown and within bounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from opsloop.rag.parsing.trouble import CannotRead

MAX_CHARACTERS = 20_000_000
MAX_PAGES = 10_000
_PAGE_END = "\f\n"


class Writing:
    """Headings, paragraphs, list items and rows of tables in reading order."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0
        self._pages = 0

    def heading(self, level: int, text: str) -> None:
        self._block(" ".join(text.split()), f"{'#' * min(max(level, 1), 6)} ")

    def paragraph(self, text: str) -> None:
        self._block(text.strip())

    def item(self, text: str) -> None:
        self._line(" ".join(text.split()), "- ")

    def table(self, rows: Iterable[Sequence[str]]) -> None:
        """Each row as an item, its cells behind the names in the first row that has more than one cell filled."""
        rows = (row for row in rows if any(cell.strip() for cell in row))
        header = next((row for row in rows if not self._is_lone(row)), [])
        first = next(rows, None)
        if first is None:
            self.item(line_of(header))
        else:
            for row in chain([first], rows):
                self.item(line_of(row, header))
        self._gap()

    def end_paragraph(self) -> None:
        self._gap()

    def _is_lone(self, row: Sequence[str]) -> bool:
        """Whether a row has nothing but its first cell, which is written: a title above a table, or a list."""
        is_lone = not any(cell.strip() for cell in row[1:])
        if is_lone:
            self.item(line_of(row))
        return is_lone

    def end_page(self) -> None:
        self._pages += 1
        check_pages(self._pages)
        self._add(_PAGE_END)

    def text(self) -> str:
        return "".join(self._parts)

    def _block(self, text: str, before: str = "") -> None:
        if text:
            self._gap()
            self._line(text, before)
            self._gap()

    def _line(self, text: str, before: str = "") -> None:
        if text:
            self._add(f"{before}{text}\n")

    def _gap(self) -> None:
        """One empty line, never two."""
        if self._parts and self._parts[-1] not in ("\n", _PAGE_END):
            self._add("\n")

    def _add(self, part: str) -> None:
        self._size += len(part)
        if self._size > MAX_CHARACTERS:
            raise CannotRead(f"it holds more than {MAX_CHARACTERS:,} characters of text; split it into several files")
        self._parts.append(part)


def check_pages(count: int) -> None:
    """Raises: CannotRead when there are too many."""
    if count > MAX_PAGES:
        raise CannotRead(f"it has more than {MAX_PAGES:,} pages; split it into several files")


def line_of(row: Sequence[str], header: Sequence[str] = ()) -> str:
    """`Name: Ada; City: London`; cells that are empty are left out."""
    named = [(header[at].strip() if at < len(header) else "", cell.strip()) for at, cell in enumerate(row)]
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in named if cell)
