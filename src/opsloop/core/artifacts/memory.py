"""Artifacts in memory: the fake for tests, held to the same contract as the real stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from opsloop.core.artifacts.store import ArtifactMissing, checked


class MemoryArtifacts:
    def __init__(self) -> None:
        self.where = "memory"
        self._blobs: dict[str, bytes] = {}

    def put(self, key: str, data: bytes) -> None:
        self._blobs[checked(key)] = bytes(data)

    def put_file(self, key: str, path: Path) -> None:
        self.put(key, path.read_bytes())

    def get(self, key: str) -> bytes:
        try:
            return self._blobs[checked(key)]
        except KeyError:
            raise ArtifactMissing(key=key, where=self.where) from None

    def local_file(self, key: str, cache: Path) -> Path:
        path = cache / checked(key)
        data = self.get(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def exists(self, key: str) -> bool:
        return checked(key) in self._blobs

    def delete(self, key: str) -> None:
        self._blobs.pop(checked(key), None)

    def keys(self, prefix: str = "") -> Iterator[str]:
        yield from sorted(key for key in self._blobs if key.startswith(prefix))

    def tidy(self, prefix: str, *, older_than_s: float) -> None:
        """Nothing here is ever unfinished."""
