"""Tables with a character between their cells: each row a line of names and values."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from opsloop.rag.parsing._decode import decoded
from opsloop.rag.parsing._writing import Writing
from opsloop.rag.parsing.trouble import CannotRead

_BETWEEN = ",;\t|"
_CELL_CHARACTERS = 131_072


def text_of(data: bytes) -> str:
    text = decoded(data)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    writing = Writing()
    try:
        writing.table(_of_usual_cells(rows))
    except csv.Error:
        reason = f"the row that ends on line {rows.line_num} is no CSV; look for a quote that is not closed"
        raise CannotRead(reason) from None
    return writing.text()


def _of_usual_cells(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    """csv's own limit is one for the whole process, and others raise it."""
    for row in rows:
        if any(len(cell) > _CELL_CHARACTERS for cell in row):
            raise csv.Error
        yield row


def _delimiter(text: str) -> str:
    """What stands most often in the first line that is not empty."""
    first = text.lstrip().partition("\n")[0]
    return max(_BETWEEN, key=first.count)
