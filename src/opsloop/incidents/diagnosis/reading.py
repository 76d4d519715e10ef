"""A log as the diagnosis reads it: the lines of `logs.lines`, shorter, each cleaned only when it is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import BinaryIO

from opsloop.incidents.logs.lines import decoded, raw_lines, unstamped

BLOCK_BYTES = 1 << 18
# Beyond this the rest of a line is passed over: a line of 50 MB costs no more than one of 8 KB.
LINE_BYTES = 8192
LINE_CHARS = 1000


def blocks_of(stream: BinaryIO) -> Iterator[bytes]:
    return iter(partial(stream.read, BLOCK_BYTES), b"")


def lines_of(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Each line with its number from 1, as `bytes.splitlines` counts them, and at most LINE_BYTES of it."""
    return raw_lines(blocks, longest_bytes=LINE_BYTES)


def clean(line: bytes) -> str:
    """A line as a person reads it: text, without escape sequences and the time stamp in front, cut."""
    return whole(line)[:LINE_CHARS]


def whole(line: bytes) -> str:
    """As `clean`, and not cut."""
    return unstamped(decoded(line))[0]
