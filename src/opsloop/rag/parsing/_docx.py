"""Word: headings, paragraphs, lists and tables in reading order."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

from opsloop.rag.parsing import _office
from opsloop.rag.parsing._writing import Writing
from opsloop.rag.parsing.trouble import damaged

_WHAT = "a Word document"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
_BREAKS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
# Content controls and tracked insertions wrap what they hold; what is deleted is not read.
_WRAPPERS = {f"{_W}{name}" for name in ("sdt", "sdtContent", "ins", "customXml", "smartTag")}
# The second form of a drawing, for old readers, repeats the text of the first.
_SKIPPED = {f"{_W}del", f"{_W}moveFrom", "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}

Level = Callable[[Any], int | None]


def text_of(data: bytes) -> str:
    import docx  # comes with an extra
    from docx.opc.exceptions import OpcError
    from lxml.etree import LxmlError

    _office.check(data, _WHAT, "word/document.xml")
    try:
        document = docx.Document(io.BytesIO(data))
        writing = Writing()
        level = _levels(document)
        for block in _blocks(document.element.body):
            _write(writing, block, level)
    except (OpcError, LxmlError, KeyError, ValueError, AttributeError, IndexError):
        raise damaged(_WHAT) from None
    return writing.text()


def _levels(document: Any) -> Level:
    """How a paragraph's style says the level of a heading; 0 is a list item, None is neither."""
    names = {style.style_id: style.name or "" for style in document.styles}

    def level(paragraph: Any) -> int | None:
        properties = paragraph.find(f"{_W}pPr")
        if properties is None:
            return None
        style = properties.find(f"{_W}pStyle")
        name = "" if style is None else names.get(style.get(f"{_W}val"), "")
        if name == "Title":
            return 1
        if found := _HEADING.match(name):
            return int(found[1])
        return 0 if name.startswith("List") or properties.find(f"{_W}numPr") is not None else None

    return level


def _blocks(parent: Any) -> Iterator[Any]:
    """Paragraphs and tables, also inside content controls."""
    waiting = list(reversed(parent))
    while waiting:
        element = waiting.pop()
        if element.tag in _WRAPPERS:
            waiting += reversed(element)
        elif element.tag in (f"{_W}p", f"{_W}tbl"):
            yield element


def _write(writing: Writing, block: Any, level: Level) -> None:
    if block.tag == f"{_W}tbl":
        writing.table([[_text(cell) for cell in _inside(row, "tc")] for row in _inside(block, "tr")])
        return
    text = _text(block)
    match level(block):
        case None:
            writing.paragraph(text)
        case 0:
            writing.item(text)
        case found:
            writing.heading(found, text)


def _inside(parent: Any, tag: str) -> Iterator[Any]:
    """Rows of a table or cells of a row, not those of a table inside it."""
    waiting = list(reversed(parent))
    while waiting:
        element = waiting.pop()
        if element.tag in _WRAPPERS:
            waiting += reversed(element)
        elif element.tag == f"{_W}{tag}":
            yield element


def _text(parent: Any) -> str:
    found: list[str] = []
    waiting = list(reversed(parent))
    while waiting:
        element = waiting.pop()
        if element.tag == f"{_W}t":
            found.append(element.text or "")
        elif element.tag in _BREAKS:
            found.append(_BREAKS[element.tag])
        elif element.tag not in _SKIPPED:
            if element.tag == f"{_W}p" and found:
                found.append("\n")
            waiting += reversed(element)
    return "".join(found)
