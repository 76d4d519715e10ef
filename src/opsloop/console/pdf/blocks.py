"""What an HTML page says, as blocks one after the other: headings, texts, lists, tables, drawings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from opsloop.console.pdf.drawings import drawing
from opsloop.console.pdf.styles import Styles

MOST_BLOCKS = 20_000
MOST_COLUMNS = 40
DEEPEST = 200
_SKIPPED = frozenset(
    ["head", "script", "style", "noscript", "template", "iframe", "object", "video", "audio", "canvas"]
)
_INSIDE = frozenset(["a", "abbr", "b", "bdi", "br", "cite", "code", "em", "i", "mark", "q", "s", "small", "span"])
_INLINE = _INSIDE | {"strong", "sub", "sup", "time", "u", "var", "img", "label", "button", "wbr", "ins", "del", "kbd"}
_FIGURE = re.compile("[+\\-\N{MINUS SIGN}\N{PLUS-MINUS SIGN}]?\\d[\\d.,\\s]*(%|points|[€$£])?|\N{EN DASH}|")
_LONGEST_FIGURE = 30
Block = dict[str, Any]


class Unfit(Exception):
    """There is nothing to set, or too much."""


def blocks_of(html: str) -> tuple[str, list[Block]]:
    """The page's title and its blocks. Raises: Unfit."""
    from selectolax.lexbor import LexborHTMLParser  # comes with an extra

    tree = LexborHTMLParser(html)
    title = tree.css_first("title")
    styles = Styles("\n".join(each.text() for each in tree.css("style")))
    found: list[Block] = []
    for block in _blocks(tree.body, styles, 0) if tree.body is not None else ():
        found.append(block)
        if len(found) > MOST_BLOCKS:
            raise Unfit
    if not found:
        raise Unfit
    return _text(title) if title is not None else "Report", found


def _blocks(node: Any, styles: Styles, depth: int) -> Iterator[Block]:
    """Blocks in a node; what stands between them is a paragraph."""
    if depth > DEEPEST:
        raise Unfit
    said: list[str] = []
    for child in node.iter(include_text=True):
        tag = child.tag
        if tag == "-text" or tag in _INLINE:
            said.append("\n" if tag == "br" else child.attributes.get("alt") or "" if tag == "img" else child.text())
        elif tag not in _SKIPPED:
            yield from _paragraph(said)
            said = []
            yield from _block(child, tag, styles, depth)
    yield from _paragraph(said)


def _block(node: Any, tag: str, styles: Styles, depth: int) -> Iterator[Block]:
    if re.fullmatch("h[1-6]", tag):
        if text := _text(node):
            yield {"kind": "heading", "level": int(tag[1]), "text": text}
    elif tag in ("ul", "ol"):
        items = [_text(each) for each in node.iter() if each.tag == "li"]
        yield {"kind": "list", "ordered": tag == "ol", "items": items}
    elif tag == "table":
        yield from _table(node)
    elif tag == "svg":
        yield drawing(node, styles)
    elif tag == "pre":
        yield {"kind": "code", "text": node.text()}
    elif tag == "dl":
        yield from _terms(node)
    else:
        yield from _blocks(node, styles, depth + 1)


def _paragraph(said: list[str]) -> Iterator[Block]:
    if text := _spaced("".join(said)):
        yield {"kind": "paragraph", "text": text}


def _table(node: Any) -> Iterator[Block]:
    rows = [[_text(cell) for cell in row.css("th, td")] for row in node.css("tr")]
    rows = [row for row in rows if row]
    if not rows:
        return
    columns = max(map(len, rows))
    if columns > MOST_COLUMNS:
        raise Unfit
    even = [[*row, *[""] * (columns - len(row))] for row in rows]
    head = even[0] if node.css_first("tr").css_first("td") is None else []
    body = even[1:] if head else even
    figures = [all(_is_figure(row[at]) for row in body) for at in range(columns)]
    cells = [cell for row in body for cell in row]
    yield {"kind": "table", "columns": columns, "head": head, "figures": figures, "cells": cells}


def _is_figure(cell: str) -> bool:
    return len(cell) <= _LONGEST_FIGURE and _FIGURE.fullmatch(cell) is not None


def _terms(node: Any) -> Iterator[Block]:
    """A term with what is said of it, for each."""
    items: list[list[str]] = []
    for each in node.css("dt, dd"):
        if each.tag == "dt":
            items.append([_text(each)])
        elif items:
            items[-1].append(_text(each))
    if items:
        yield {"kind": "terms", "items": [each if len(each) > 1 else [*each, ""] for each in items]}


def _text(node: Any) -> str:
    return _spaced(node.text(separator=" ") if node.tag in ("li", "dd") else node.text())


def _spaced(text: str) -> str:
    """On one line, save for its breaks; a space that holds words together stays."""
    lines = (" ".join(re.split(r"[ \t\r\f\v]+", line)).strip(" ") for line in text.split("\n"))
    return " ".join(line for line in lines if line)
