"""Bytes of a text file as text, or a sentence that says why they are none."""

from __future__ import annotations

from opsloop.datasets.errors import FileBroken

_ARCHIVES = {b"PK\x03\x04": "a zip archive", b"\x1f\x8b": "a gzip archive", b"PAR1": "a Parquet file", b"%PDF": "a PDF"}
_WIDE = (b"\xff\xfe", b"\xfe\xff")


def text_of(file: str, data: bytes) -> str:
    """UTF-8 text; a byte order mark at its start is dropped. Raises: FileBroken."""
    if not data.strip():
        raise FileBroken(file, "the file", "at least one row; it is empty")
    for start, name in _ARCHIVES.items():
        if data.startswith(start):
            raise FileBroken(file, "the file", f"UTF-8 text; it is {name}, unpack it or name it by its format")
    if data.startswith(_WIDE):
        raise FileBroken(file, "the file", "UTF-8 text; it is UTF-16, save it as UTF-8")
    if (zero := data.find(b"\0")) >= 0:
        raise FileBroken(file, _line(data, zero), "text; there is a zero byte, so the file is binary")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The decoder counts after the byte order mark it took off.
        at = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        column = len(data[data.rfind(b"\n", 0, at) + 1 : at].decode("utf-8", "replace")) + 1
        value = data[at : at + 1]
        raise FileBroken(
            file, _line(data, at), "UTF-8 text; save the file as UTF-8", column=column, value=value
        ) from None


def _line(data: bytes, at: int) -> str:
    number = data.count(b"\n", 0, at) + 1
    return f"line {number}"
