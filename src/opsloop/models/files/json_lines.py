"""JSON lines: one object a line; empty lines are left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from opsloop.datasets.text import LINE_LIMIT_BYTES
from opsloop.models.files.rows import FileFormat, Given, Row, Sink

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode_lines = msgspec.json.Encoder().encode_lines


@contextmanager
def opened(path: Path) -> Iterator[Given]:
    with path.open("rb") as file:
        yield Given(_rows(iter(lambda: file.readline(LINE_LIMIT_BYTES), b"")), None)


def _rows(lines: Iterable[bytes]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        place, text = f"line {number}", line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if text.isspace():
            continue
        try:
            yield Row(place, _decode(text))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            yield Row(place, {}, f"wanted a JSON object ({str(error)[:200]})")


class _Lines:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._file.write(_encode_lines(rows))


@contextmanager
def written(path: Path, names: Sequence[str] | None) -> Iterator[Sink]:
    with path.open("wb") as file:
        yield _Lines(file)


FORMATS = dict.fromkeys((".jsonl", ".ndjson"), FileFormat(opened, written))
