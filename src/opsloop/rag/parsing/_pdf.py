"""PDF: the text of each page; titles of the outline become headings where they stand on their page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import islice
from typing import Any

from opsloop.rag.parsing._writing import Writing, check_pages
from opsloop.rag.parsing.trouble import CannotRead, damaged

_WHAT = "a PDF document"
_WRONG_PASSWORD, _UNKNOWN_SECURITY = 4, 5
_MAX_TITLES = 10_000
# How the library marks a hyphen at the end of a line: the word goes on in the next.
_HYPHENS = ("\x02\n", "\ufffe\n")


def text_of(data: bytes) -> str:
    import pypdfium2  # comes with an extra

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise _not_opened(error.err_code) from None
    check_pages(len(document))
    titles = _titles(document)
    writing = Writing()
    has_text = False
    for number in range(len(document)):
        text = _page(document, number)
        has_text = has_text or bool(text.strip())
        _write(writing, text, titles.get(number, {}))
        writing.end_page()
    if not has_text:
        raise CannotRead("its pages are pictures without text (a scan); run text recognition (OCR) on it first")
    return writing.text()


def _not_opened(code: int | None) -> CannotRead:
    if code in (_WRONG_PASSWORD, _UNKNOWN_SECURITY):
        return CannotRead("it is protected by a password; save it without one and upload it again")
    return damaged(_WHAT)


def _page(document: Any, number: int) -> str:
    """The text of a page; nothing for a page that is damaged, as viewers do."""
    import pypdfium2

    try:
        text: str = document[number].get_textpage().get_text_range()
    except pypdfium2.PdfiumError:
        return ""
    text = text.replace("\r\n", "\n").replace("\f", "\n")
    for hyphen in _HYPHENS:
        text = text.replace(hyphen, "")
    return text


def _titles(document: Any) -> Mapping[int, Mapping[str, int]]:
    """Level of each title of the outline, by page."""
    import pypdfium2

    found: dict[int, dict[str, int]] = defaultdict(dict)
    try:
        for mark in islice(document.get_toc(), _MAX_TITLES):
            destination = mark.get_dest()
            page = destination.get_index() if destination else None
            if page is not None:
                found[page].setdefault(_folded(mark.get_title()), mark.level + 1)
    except pypdfium2.PdfiumError:
        return {}
    return found


def _folded(title: str) -> str:
    return " ".join(title.split()).casefold()


def _write(writing: Writing, text: str, titles: Mapping[str, int]) -> None:
    lines: list[str] = []
    for line in text.split("\n"):
        level = titles.get(_folded(line)) if titles else None
        if level is None:
            lines.append(line)
            continue
        writing.paragraph("\n".join(lines))
        writing.heading(level, line)
        lines = []
    writing.paragraph("\n".join(lines))
