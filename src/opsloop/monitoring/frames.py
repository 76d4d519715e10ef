"""Lines of a spool segment: a CRC-32 of the payload in eight hexadecimal digits, a space, JSON, a newline.

A crash can leave the last line short, and a full disk a line in the middle; the checksum tells. JSON has no newline
inside, so reading goes on behind a damaged line.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_HEAD = 9  # eight digits and a space


@dataclass(frozen=True, slots=True)
class Damaged:
    """A line that is not whole; `size_bytes` of it were there."""

    size_bytes: int


def framed(payload: bytes) -> bytes:
    return b"%08x %b\n" % (zlib.crc32(payload), payload)


def unframed(lines: Iterable[bytes]) -> Iterator[bytes | Damaged]:
    """The payload of each line, in order."""
    for line in lines:
        payload = line[_HEAD:-1]
        whole = line.endswith(b"\n") and line[:_HEAD] == b"%08x " % zlib.crc32(payload)
        yield payload if whole else Damaged(len(line))
