"""The texts of a flow's folder, in which golden rows are looked for."""

from __future__ import annotations

from pathlib import Path

from opsloop.datasets.contamination_models import Passage

# A flow's folder may hold data and models too; prompts and examples are small.
FILE_LIMIT_BYTES = 2_000_000


def texts_of(folder: Path, *, named: str = "") -> list[Passage]:
    """The text files of a folder; what is hidden, cached, large or no UTF-8 is left out.

    Args:
        named: what stands before their paths in it; default: the folder's own path.
    """
    found = []
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder)
        if any(part.startswith(".") or part == "__pycache__" for part in inside.parts) or not file.is_file():
            continue
        if file.stat().st_size <= FILE_LIMIT_BYTES and (text := _text(file.read_bytes())) is not None:
            found.append(Passage(f"{named or folder.as_posix()}/{inside.as_posix()}", text))
    return found


def _text(data: bytes) -> str | None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
