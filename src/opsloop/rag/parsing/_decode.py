"""Bytes as text: by their byte order mark, else UTF-8; a file that is no text is refused with the byte that says so."""

from __future__ import annotations

import codecs

from opsloop.rag.parsing.trouble import CannotRead

# UTF-32 begins like UTF-16, so it comes first.
_MARKS = [
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
]


def marked(data: bytes) -> tuple[bytes, str] | None:
    """The bytes behind a byte order mark and their encoding; None without a mark."""
    return next(((data[len(mark) :], name) for mark, name in _MARKS if data.startswith(mark)), None)


def decoded(data: bytes) -> str:
    """Raises: CannotRead naming the first byte that is no text."""
    rest, encoding = marked(data) or (data, "utf-8")
    nul = rest.find(0) if encoding == "utf-8" else -1
    if nul >= 0:
        raise CannotRead(f"byte {nul} is NUL, so this is no text file; export it as UTF-8 text or Markdown")
    try:
        text = rest.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding[:-3].upper() if encoding != "utf-8" else "UTF-8"
        raise CannotRead(f"byte {error.start} is not {name}; save it as UTF-8 and upload it again") from None
    if "\0" in text:
        raise CannotRead("it holds NUL characters, so this is no text file; export it as UTF-8 text or Markdown")
    return text
