"""Write a file of JSON lines, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec


def write(file: Path, rows: Iterable[dict[str, Any]]) -> None:
    part = file.with_name(f".part-{file.name}")
    try:
        part.write_bytes(msgspec.json.Encoder().encode_lines(list(rows)))
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
