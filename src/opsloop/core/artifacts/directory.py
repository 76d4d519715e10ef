"""Artifacts in a folder."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from shutil import copyfileobj
from typing import IO

from opsloop.core.artifacts.store import ArtifactMissing, checked
from opsloop.core.errors import Unavailable

_CHUNK_BYTES = 1 << 20


class ArtifactsUnusable(Unavailable):
    template = "artifact {key!r} cannot be {wanted} in {where}: {reason}; put that right and try again"


class DirectoryArtifacts:
    """A folder; each blob is written beside its place, flushed to the disk and renamed into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.where = str(folder)

    def put(self, key: str, data: bytes) -> None:
        self._put(key, lambda file: file.write(data))

    def put_file(self, key: str, path: Path) -> None:
        with path.open("rb") as source:
            self._put(key, lambda file: copyfileobj(source, file, _CHUNK_BYTES))

    def _put(self, key: str, write: Callable[[IO[bytes]], object]) -> None:
        target = self.folder / checked(key)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".part-", dir=target.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    write(file)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(target)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise self._unusable(key, "stored", error) from error

    def get(self, key: str) -> bytes:
        try:
            return (self.folder / checked(key)).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise ArtifactMissing(key=key, where=self.where) from None
        except OSError as error:
            raise self._unusable(key, "read", error) from error

    def local_file(self, key: str, cache: Path) -> Path:
        if not self.exists(key):
            raise ArtifactMissing(key=key, where=self.where)
        return self.folder / key

    def exists(self, key: str) -> bool:
        return (self.folder / checked(key)).is_file()

    def delete(self, key: str) -> None:
        try:
            (self.folder / checked(key)).unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(key, "deleted", error) from error

    def keys(self, prefix: str = "") -> Iterator[str]:
        within = self.folder / prefix.rpartition("/")[0]
        found = (
            path.relative_to(self.folder).as_posix()
            for path in within.rglob("*")
            if path.is_file() and not path.name.startswith(".part-")
        )
        yield from sorted(key for key in found if key.startswith(prefix))

    def tidy(self, prefix: str, *, older_than_s: float) -> None:
        before_s = time.time() - older_than_s
        for part in (self.folder / prefix).rglob(".part-*"):
            with suppress(FileNotFoundError):  # its writer ended well just now
                if part.stat().st_mtime < before_s:
                    part.unlink()

    def _unusable(self, key: str, wanted: str, error: OSError) -> ArtifactsUnusable:
        return ArtifactsUnusable(key=key, wanted=wanted, where=self.where, reason=error.strerror)
