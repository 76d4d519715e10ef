"""Source text in pieces that a page may colour: comments, texts, words of the language, keys, parts of a template.

It knows little on purpose: enough to read a flow's files by, nothing that could get a text wrong. The pieces of a line
put together are the line.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

_STRING = r"""(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
_LONG = r'''(?P<long>"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\')'''
_COMMENT = r"(?P<comment>(?<![^\s])#[^\n]*)"
_KEY = r"(?P<key>^[ \t]*(?:-[ \t]+)?[\w.$-]+(?=:(?:[ \t\n]|$)))"
_TEMPLATE = r"(?P<template>\{\{[^{}]*\}\}|\{%[^%]*%\}|\{#[^#]*#\})"
_ROLE = r"(?P<word>^[ \t]*#?[ \t]*(?:system|user|assistant|function|tool|developer)[ \t]*:[ \t]*$)"
_PYTHON = rf"(?P<word>\b(?:{'|'.join(keyword.kwlist)})\b)"
_REFERENCE = r"(?P<template>\$\{[^{}\n]*\})"


def _pattern(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts), re.MULTILINE)


_YAML = _pattern(_COMMENT, _REFERENCE, _STRING, _KEY)
_JINJA = _pattern(_TEMPLATE, _ROLE)
_PATTERNS = {
    ".py": _pattern(_LONG, _STRING, r"(?P<comment>#[^\n]*)", _PYTHON),
    ".yaml": _YAML,
    ".yml": _YAML,
    ".jinja2": _JINJA,
    ".j2": _JINJA,
    ".md": _JINJA,
    ".prompty": _pattern(_COMMENT, _TEMPLATE, _ROLE, _KEY),
    ".txt": _pattern(_COMMENT),
    ".json": _pattern(r'(?P<key>"(?:[^"\\\n]|\\.)*"(?=\s*:))', _STRING),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """`kind` is empty for plain text, else comment, text, word, key or template."""

    kind: str
    text: str


def lines(path: str, source: str) -> list[tuple[Piece, ...]]:
    """The lines of a file, each in pieces."""
    found: list[list[Piece]] = [[]]
    for piece in _pieces(_PATTERNS.get(PurePosixPath(path).suffix.lower()), source.replace("\r\n", "\n")):
        first, *rest = piece.text.split("\n")
        found[-1].append(Piece(piece.kind, first))
        found += [[Piece(piece.kind, each)] for each in rest]
    if len(found) > 1 and not any(piece.text for piece in found[-1]):
        found.pop()
    return [tuple(piece for piece in line if piece.text) for line in found]


def _pieces(pattern: re.Pattern[str] | None, source: str) -> Iterator[Piece]:
    at = 0
    for match in pattern.finditer(source) if pattern is not None else ():
        if match.start() > at:
            yield Piece("", source[at : match.start()])
        kind = match.lastgroup or ""
        yield Piece("text" if kind == "long" else kind, match[0])
        at = match.end()
    yield Piece("", source[at:])
