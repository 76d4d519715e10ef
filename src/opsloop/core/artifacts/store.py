"""The port: what any artifact store can do."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from opsloop.core.errors import InvalidInput, NotFound

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@=+-]*(/[A-Za-z0-9][A-Za-z0-9._@=+-]*)*")


class ArtifactMissing(NotFound):
    template = "no artifact {key!r} in {where}"


class Artifacts(Protocol):
    """A store of immutable blobs. A blob is there whole or not at all."""

    where: str

    def put(self, key: str, data: bytes) -> None: ...

    def put_file(self, key: str, path: Path) -> None:
        """Store a file's bytes without holding them in memory."""
        ...

    def get(self, key: str) -> bytes:
        """Raises: ArtifactMissing."""
        ...

    def local_file(self, key: str, cache: Path) -> Path:
        """A blob as a file of this machine, to be read only: the store's own, or a copy under `cache`, fetched once.

        Raises: ArtifactMissing.
        """
        ...

    def exists(self, key: str) -> bool: ...

    def delete(self, key: str) -> None:
        """Remove a blob; nothing happens when it is not there."""
        ...

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Keys that start with `prefix`, sorted."""
        ...

    def tidy(self, prefix: str, *, older_than_s: float) -> None:
        """Remove what writers that were killed left unfinished under a folder of keys, `ingests/`."""
        ...


def checked(key: str) -> str:
    """The key itself when it is one: path segments of letters, digits and `._@=+-`, none starting with a dot."""
    if not _KEY.fullmatch(key) or len(key) > 900:
        raise InvalidInput(field="artifact key", value=key, wanted="path segments of letters, digits and ._@=+-")
    return key


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def put_by_content(store: Artifacts, prefix: str, data: bytes) -> str:
    """Store bytes under their own hash and return the key, `prefix/ab/abcdef…`."""
    digest = sha256_hex(data)
    key = f"{prefix}/{digest[:2]}/{digest}"
    if not store.exists(key):
        store.put(key, data)
    return key
