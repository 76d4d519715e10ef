"""Artifacts in a folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from opsloop.core.artifacts.store import ArtifactMissing, checked
from opsloop.core.errors import Unavailable


class ArtifactsUnusable(Unavailable):
    template = "artifact {key!r} cannot be {wanted} in {where}: {reason}; put that right and try again"


class DirectoryArtifacts:
    """A folder; each blob is written beside its place, flushed to the disk and renamed into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.where = str(folder)

    def put(self, key: str, data: bytes) -> None:
        target = self.folder / checked(key)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".part-", dir=target.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
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

    def exists(self, key: str) -> bool:
        return (self.folder / checked(key)).is_file()

    def delete(self, key: str) -> None:
        try:
            (self.folder / checked(key)).unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(key, "deleted", error) from error

    def keys(self, prefix: str = "") -> Iterator[str]:
        found = (
            path.relative_to(self.folder).as_posix()
            for path in self.folder.rglob("*")
            if path.is_file() and not path.name.startswith(".part-")
        )
        yield from sorted(key for key in found if key.startswith(prefix))

    def _unusable(self, key: str, wanted: str, error: OSError) -> ArtifactsUnusable:
        return ArtifactsUnusable(key=key, wanted=wanted, where=self.where, reason=error.strerror)
