"""The Python of a pipeline: files kept by their content, and laid out in a folder where they run."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from opsloop.core.artifacts.store import Artifacts, put_by_content
from opsloop.training.run_errors import OperationInvalid

PREFIX = "pipelines"
MOST_FILES = 200
MOST_BYTES = 2_000_000
_PATH = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*\.py")


def check(code: Mapping[str, str]) -> None:
    """Raises: OperationInvalid for a path that leads elsewhere, too many files, or too much in them."""
    for path in code:
        if not _PATH.fullmatch(path) or len(path) > 300:
            raise OperationInvalid(field="code", value=path, wanted="paths of .py files below the project's folder")
    size_bytes = sum(len(text) for text in code.values())
    if len(code) > MOST_FILES or size_bytes > MOST_BYTES:
        wanted = f"at most {MOST_FILES} files of Python with {MOST_BYTES:,} characters together"
        raise OperationInvalid(field="code", value=f"{len(code)} files, {size_bytes:,} characters", wanted=wanted)


def keep(store: Artifacts, code: Mapping[str, str]) -> str:
    """Keep files under a key that their content makes; the key of no files is empty."""
    if not code:
        return ""
    return put_by_content(store, PREFIX, document(code))


def document(code: Mapping[str, str]) -> bytes:
    """The files as they are kept; its SHA-256 names them."""
    return json.dumps(dict(code), sort_keys=True, ensure_ascii=False).encode()


def digest(key: str) -> str:
    """What names the files under a key, by their paths and what is in them."""
    return key.rpartition("/")[2]


def laid_out(store: Artifacts, data_dir: Path, key: str) -> Path:
    """A folder with the files under a key, to be read only; it is there whole or not at all."""
    folder = data_dir / PREFIX / (digest(key) or "none")
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".part-"))
    for path, text in _files(store, key).items():
        file = part / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    try:
        part.rename(folder)
    except OSError:  # another process laid the same out meanwhile
        shutil.rmtree(part)
    return folder


def _files(store: Artifacts, key: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(store.get(key)) if key else {}
    return found
