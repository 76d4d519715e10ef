"""A folder of documents as a dataset: a row per file, with its text where it is text."""

from __future__ import annotations

import hashlib
import mimetypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from opsloop.core.errors import InvalidInput
from opsloop.datasets.errors import DatasetTooLarge

FILES_LIMIT = 200_000
TEXT_LIMIT_BYTES = 20_000_000
_CHUNK_BYTES = 1 << 20
# What the table of the machine may not know.
_KNOWN = {
    ".md": "text/markdown",
    ".jsonl": "application/jsonl",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}


def write_lines(folder: Path, path: Path) -> int:
    """Write the rows of a folder as JSON lines, sorted by path; how many there are.

    Raises: InvalidInput when there is no file, DatasetTooLarge.
    """
    count = 0
    with path.open("wb") as lines:
        for row in rows(folder):
            lines.write(msgspec.json.encode(row) + b"\n")
            count += 1
    if not count:
        raise InvalidInput(f"{folder} holds no files; hidden ones are left out", field="file", value=str(folder))
    return count


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    """A row per file: path, media type, size, hash, text.

    Hidden files and folders, and links to the outside, are left out. `text` is null for what is no UTF-8 text.
    """
    for count, path in enumerate(_files(folder)):
        if count == FILES_LIMIT:
            raise DatasetTooLarge(file=str(folder), what=f"over {FILES_LIMIT:,} files", limit=f"{FILES_LIMIT:,} files")
        yield _row(folder, path)


def _files(folder: Path) -> list[Path]:
    root = folder.resolve()
    found = (path for path in folder.rglob("*") if path.is_file() and path.resolve().is_relative_to(root))
    visible = (path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))
    return sorted(visible, key=lambda path: path.relative_to(folder).as_posix())


def _row(folder: Path, path: Path) -> dict[str, Any]:
    digest, size_bytes, text = hashlib.sha256(), 0, bytearray()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += len(chunk)
            if size_bytes <= TEXT_LIMIT_BYTES:
                text += chunk
    return {
        # Names of files need not be UTF-8.
        "path": os.fsencode(path.relative_to(folder).as_posix()).decode("utf-8", "replace"),
        "media_type": _media_type(path),
        "size_bytes": size_bytes,
        "sha256": digest.hexdigest(),
        "text": _text(bytes(text)) if size_bytes <= TEXT_LIMIT_BYTES else None,
    }


def _media_type(path: Path) -> str:
    ending = path.suffix.lower()
    return _KNOWN.get(ending) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _text(data: bytes) -> str | None:
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
