"""HTML: what a reader sees, with headings, lists and tables; no scripts, styles or navigation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from opsloop.rag.parsing._decode import decoded, marked
from opsloop.rag.parsing._writing import Writing
from opsloop.rag.parsing.trouble import CannotRead

_CHARSET = re.compile(rb"<meta[^>]{0,500}charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:.-]{1,40})", re.IGNORECASE)
_CHARSET_WITHIN = 1_024
_NOT_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_BREAK = "\v"
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SKIPPED = frozenset(
    """head script style noscript template nav footer svg math iframe object canvas audio video select
    button""".split()  # noqa: SIM905 (a list of literals would be longer and read worse)
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_ARRANGED = frozenset(["table", "ul", "ol", "article", "section", *_HEADINGS])
_INLINE = frozenset(
    """a abbr b bdi bdo cite code data dfn em font i ins kbd label mark q s samp small span strong sub sup time tt u var
    wbr""".split()  # noqa: SIM905 (as above)
)


def text_of(data: bytes) -> str:
    return text_in(_decoded(data))


def text_in(text: str) -> str:
    """The text of a page, or of an e-mail's body."""
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError  # comes with an extra

    try:
        tree = LexborHTMLParser(text)
    except SelectolaxError as error:  # every text is a page; what is missing is room for it
        raise MemoryError from error
    page = _Page()
    title = tree.css_first("head > title")
    if title is not None and tree.css_first("h1") is None:
        page.writing.heading(1, title.text())
    if tree.body is not None:
        page.read(tree.body)
    return page.writing.text()


def _decoded(data: bytes) -> str:
    """By its byte order mark, else as its head says, else as UTF-8, else as browsers do."""
    if marked(data) is not None:
        return decoded(data)
    if b"\0" in data:
        return decoded(data)  # which says what is wrong
    said = _CHARSET.search(data[:_CHARSET_WITHIN])
    for name in (said[1].decode("ascii") if said else "utf-8", "utf-8", "windows-1252"):
        try:
            text = data.decode(name)
        except (LookupError, ValueError):
            continue
        if _NOT_TEXT.search(text):
            break
        return text
    raise CannotRead("it holds bytes that are no text, so this is no HTML page; save it from the browser as UTF-8")


class _Page:
    """A walk over the elements that does not recurse: pages are nested as deep as their authors like."""

    def __init__(self) -> None:
        self.writing = Writing()
        self._inline: list[str] = []

    def read(self, body: Any) -> None:
        waiting: list[tuple[Any, str]] = [(body, "in")]
        while waiting:
            node, way = waiting.pop()
            if way == "in":
                waiting += self._enter(node)
            else:
                self._flush(way)
        self._flush("p")

    def _enter(self, node: Any) -> list[tuple[Any, str]]:
        tag = node.tag
        if node.is_text_node:
            self._say(node.text_content or "")
            return []
        if not node.is_element_node or _is_skipped(node, tag):
            return []
        if tag == "br":
            self._say(_BREAK)
            return []
        if tag == "table" and (rows := _rows(node)):
            self._flush("p")
            self.writing.table(rows)
            return []
        inside = [(child, "in") for child in reversed(list(_children(node)))]
        if tag in _INLINE:
            return inside
        self._flush("p")
        return [(node, tag), *inside]

    def _say(self, text: str) -> None:
        self._inline.append(text)

    def _flush(self, tag: str) -> None:
        """Write what was said since the last block as what the block is."""
        text = "".join(self._inline)
        text = text if tag == "pre" else _SPACE.sub(" ", text)
        text = text.replace(_BREAK, "\n")
        self._inline = []
        if tag in _HEADINGS:
            self.writing.heading(_HEADINGS[tag], text)
        elif tag == "li":
            self.writing.item(text)
        else:
            self.writing.paragraph(text.replace("\n ", "\n") if tag != "pre" else text)


def _is_skipped(node: Any, tag: str) -> bool:
    if tag in _SKIPPED:
        return True
    attributes = node.attributes
    hides = "hidden" in attributes or _HIDDEN.search(attributes.get("style") or "") is not None
    return hides or attributes.get("role") == "navigation"


def _children(node: Any) -> Iterator[Any]:
    child = node.first_child
    while child is not None:
        yield child
        child = child.next


def _rows(table: Any) -> list[list[str]]:
    """The cells of a table; none of one that arranges a page, which holds tables, headings or lists."""
    rows: list[list[str]] = []
    cells: list[list[str]] = []
    waiting = list(_children(table))[::-1]
    while waiting:
        node = waiting.pop()
        if node.is_text_node and cells:
            cells[-1].append(node.text_content or "")
        if not node.is_element_node or _is_skipped(node, node.tag):
            continue
        if node.tag in _ARRANGED:
            return []
        if node.tag == "tr":
            rows.append([" ".join("".join(cell).split()) for cell in cells])
            cells = []
        elif node.tag in ("td", "th"):
            cells.append([])
        elif node.tag not in _INLINE and cells:
            cells[-1].append(" ")
        waiting += reversed(list(_children(node)))
    rows.append([" ".join("".join(cell).split()) for cell in cells])
    return [row for row in rows if any(row)]
