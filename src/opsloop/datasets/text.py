"""Bytes of a text file as text, or a sentence that says why they are none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from opsloop.datasets.errors import DatasetTooLarge, FileBroken

BLOCK_BYTES = 1 << 20
LINE_LIMIT_BYTES = 100_000_000
_ARCHIVES = {b"PK\x03\x04": "a zip archive", b"\x1f\x8b": "a gzip archive", b"PAR1": "a Parquet file", b"%PDF": "a PDF"}
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_MARK = b"\xef\xbb\xbf"


def text_of(file: str, data: bytes) -> str:
    """UTF-8 text; a byte order mark at its start is dropped. Raises: FileBroken."""
    if not data.strip():
        raise is_empty(file)
    _check_start(file, data)
    data = data.removeprefix(_MARK)
    check(file, data, 1)
    return data.decode()


def blocks(file: str, path: Path) -> Iterator[tuple[int, bytes]]:
    """A text file in pieces of whole lines, each with the number of its first; checked to be UTF-8 text.

    A byte order mark is dropped; the last line ends like the others.
    Raises: FileBroken, DatasetTooLarge for a line that is too long.
    """
    number, any_text = 1, False
    with path.open("rb") as lines:
        while block := lines.read(BLOCK_BYTES):
            if not block.endswith(b"\n"):
                block += lines.readline(LINE_LIMIT_BYTES)
            if number == 1 and not any_text:
                _check_start(file, block)
                block = block.removeprefix(_MARK)
            if not block.endswith(b"\n"):
                if len(block) > LINE_LIMIT_BYTES:
                    what = f"a line (line {_line(block, len(block), number)}) of over {LINE_LIMIT_BYTES:,} bytes"
                    raise DatasetTooLarge(file=file, what=what, limit=f"{LINE_LIMIT_BYTES:,} bytes a line")
                block += b"\n"
            check(file, block, number)
            any_text = any_text or not block.isspace()
            yield number, block
            number += block.count(b"\n")
    if not any_text:
        raise is_empty(file)


def is_empty(file: str) -> FileBroken:
    return FileBroken(file, "the file", "at least one row; it is empty")


def check(file: str, data: bytes, first_line: int) -> None:
    """Raises: FileBroken for what is no UTF-8 text, with its place."""
    if (zero := data.find(b"\0")) >= 0:
        place = f"line {_line(data, zero, first_line)}"
        raise FileBroken(file, place, "text; there is a zero byte, so the file is binary")
    if data.isascii():
        return
    try:
        data.decode()
    except UnicodeDecodeError as error:
        at = error.start
        place = f"line {_line(data, at, first_line)}"
        column = len(data[data.rfind(b"\n", 0, at) + 1 : at].decode("utf-8", "replace")) + 1
        wanted = "UTF-8 text; save the file as UTF-8"
        raise FileBroken(file, place, wanted, column=column, value=data[at : at + 1]) from None


def _check_start(file: str, data: bytes) -> None:
    for start, name in _ARCHIVES.items():
        if data.startswith(start):
            raise FileBroken(file, "the file", f"UTF-8 text; it is {name}, unpack it or name it by its format")
    if data.startswith(_WIDE):
        raise FileBroken(file, "the file", "UTF-8 text; it is UTF-16, save it as UTF-8")


def _line(data: bytes, at: int, first_line: int) -> int:
    return first_line + data.count(b"\n", 0, at)
