"""A file's text, whatever kind of file it is."""

from __future__ import annotations

import re
from importlib import import_module

from opsloop.rag.models import UnreadableDocument, UnsupportedDocument
from opsloop.rag.parsing import apart, content
from opsloop.rag.parsing._writing import check_pages
from opsloop.rag.parsing.kinds import KINDS, Kind, suffix_of
from opsloop.rag.parsing.trouble import CannotRead

# What the databases do not keep: NUL and halves of characters.
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


def text_of(filename: str, data: bytes) -> str:
    """The text, headings as in Markdown; `\\f` ends each page of what has pages.

    Raises: UnsupportedDocument, UnreadableDocument, each naming the file and what to do; ExtraNeeded.
    """
    kind = KINDS.get(suffix_of(filename))
    if kind is None:
        raise UnsupportedDocument(
            filename=filename, reason="this kind of file cannot be read", supported=", ".join(KINDS)
        )
    if not data:
        raise UnreadableDocument(filename=filename, reason="it is empty (0 bytes); upload a file with text in it")
    try:
        content.check(kind, data)
        text = _NOT_STORABLE.sub("\ufffd", _parsed(kind, data))
        check_pages(text.count("\f"))
    except CannotRead as error:
        # The cause stays out: what a library says of a file can hold words of it.
        raise UnreadableDocument(filename=filename, reason=error.reason) from None
    return text


def _parsed(kind: Kind, data: bytes) -> str:
    if kind.apart:
        return apart.text_of(kind, data)
    found: str = import_module(f"opsloop.rag.parsing._{kind.module}").text_of(data)
    return found
