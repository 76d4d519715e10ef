"""Lines of a log from a stream of bytes, in bounded memory, and a line without colours and time stamps."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

BLOCK_BYTES = 1 << 18
# Beyond this the rest of a line is passed over: a line of 50 MB costs no more than one of 8 KB.
LINE_BYTES = 8192
LINE_CHARS = 1000

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|\x1b[@-_]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
_BARE_COLOURS = re.compile(r"\[(?:\d{1,3}(?:;\d{1,3})*)m|^\[0K")
_STAMP = re.compile(
    r"^\ufeff?\s{0,2}(?:"
    r"(?:\[task )?\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?(?:\s\d\d[OE]\+?)?"
    r"|\[?\d\d:\d\d:\d\d(?:[.,]\d+)?\]?"
    r")[ \t]?"
)


def blocks_of(stream: BinaryIO) -> Iterator[bytes]:
    """What a stream holds, as UTF-8 when it starts with the mark of UTF-16."""
    first = stream.read(BLOCK_BYTES)
    if first[:2] not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        while first:
            yield first
            first = stream.read(BLOCK_BYTES)
        return
    decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
    while first:
        yield decoder.decode(first).encode("utf-8", "replace")
        first = stream.read(BLOCK_BYTES)
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def lines_of(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Each line with its number from 1, as `bytes.splitlines` counts them, at most LINE_BYTES of it."""
    number, kept, ended_with_cr = 0, b"", False
    is_open = False
    for block in blocks:
        if not block:
            continue
        if ended_with_cr and block.startswith(b"\n"):
            block = block[1:]
        ended_with_cr = block.endswith(b"\r")
        pieces = block.splitlines()
        ends = block.endswith((b"\n", b"\r"))
        for place, piece in enumerate(pieces):
            if place == 0 and is_open:
                piece = kept + piece[: LINE_BYTES - len(kept)]
            if place == len(pieces) - 1 and not ends:
                kept, is_open = piece[:LINE_BYTES], True
                break
            is_open, kept = False, b""
            number += 1
            yield number, piece[:LINE_BYTES]
    if is_open:
        yield number + 1, kept


def clean(line: bytes) -> str:
    """A line as a person reads it: text, without escape sequences and the time stamp in front, cut."""
    return whole(line)[:LINE_CHARS]


def whole(line: bytes) -> str:
    """As `clean`, and not cut."""
    text = line.decode("utf-8", "replace")
    if not text.isprintable():
        text = _ESCAPES.sub("", text)
    if "[" in text:
        text = _BARE_COLOURS.sub("", text)
    text = _STAMP.sub("", text, count=1)
    return text.rstrip()
