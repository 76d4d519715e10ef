"""Excel: each sheet a section, each row a line of column names and values as they were last computed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import chain
from typing import Any

from opsloop.rag.parsing import _office
from opsloop.rag.parsing._writing import Writing
from opsloop.rag.parsing.trouble import damaged

_WHAT = "an Excel workbook"


def text_of(data: bytes) -> str:
    import warnings

    import openpyxl  # comes with an extra
    from lxml.etree import LxmlError
    from openpyxl.utils.exceptions import InvalidFileException

    _office.check(data, _WHAT, "xl/workbook.xml")
    warnings.simplefilter("ignore")  # of styles and extensions that it does not keep: only values are read here
    writing = Writing()
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            _write(writing, sheet)
    except (InvalidFileException, LxmlError, SyntaxError, KeyError, ValueError, TypeError, AttributeError, IndexError):
        raise damaged(_WHAT) from None
    return writing.text()


def _write(writing: Writing, sheet: Any) -> None:
    sheet.reset_dimensions()  # what a file says of its size may be wrong, and rows would be filled up to it
    first = next(rows := _rows(sheet), None)
    if first is not None:
        writing.heading(1, sheet.title)
        writing.table(chain([first], rows))


def _rows(sheet: Any) -> Iterator[list[str]]:
    """Rows with something in them."""
    for values in sheet.iter_rows(values_only=True):
        row = [_cell(value) for value in values]
        if any(row):
            yield row


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime() if value.time() == time.min:
            return value.date().isoformat()
        case datetime() | date() | time():
            return value.isoformat()
        case float():
            return f"{value:.15g}"  # as many digits as the program itself keeps
        case _:
            return str(value).strip()
