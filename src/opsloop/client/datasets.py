"""Datasets and their versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.datasets.models import DatasetDiff, DatasetUse, DatasetVersion

AT = "/api/datasets"
PAGE = 1_000


class Datasets:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def register(
        self, name: str, file: Path, *, tags: Sequence[str] = (), replace_holdout: str | None = None
    ) -> DatasetVersion:
        """Register a file's rows; rows that the dataset has already are the version they were.

        Args:
            replace_holdout: why held out rows may change or go; put on record.
        """
        return self.register_bytes(name, file.name, file.read_bytes(), tags=tags, replace_holdout=replace_holdout)

    def register_bytes(
        self, name: str, filename: str, data: bytes, *, tags: Sequence[str] = (), replace_holdout: str | None = None
    ) -> DatasetVersion:
        """The same for bytes; the ending of `filename` tells their format."""
        at = path("api", "datasets", name, "versions")
        return self._connection.post(
            at, DatasetVersion, data=data, filename=filename, tags=list(tags) or None, replace_holdout=replace_holdout
        )

    def listed(self) -> list[DatasetVersion]:
        """The current version of every dataset."""
        return self._connection.items(AT, DatasetVersion, limit=PAGE)

    def versions(self, name: str) -> list[DatasetVersion]:
        """The versions of a dataset, newest first."""
        return self._connection.items(path("api", "datasets", name), DatasetVersion, limit=PAGE)

    def uses(self, name: str) -> list[DatasetUse]:
        """Who used which version of a dataset."""
        return self._connection.items(path("api", "datasets", name), DatasetUse, member="uses", limit=PAGE)

    def get(self, ref: str) -> DatasetVersion:
        """The version a text names: `golden@3`, `golden@TAG`, or `golden` for the one registered last.

        `/holdout` or `/dev` at its end names a part of its rows.
        """
        return self._connection.get(self._at(ref), DatasetVersion, part=_part(ref))

    def rows(self, ref: str) -> Iterator[dict[str, Any]]:
        """The rows of a version, in order."""
        offset: int | None = 0
        while offset is not None:
            page = self._connection.get(
                f"{self._at(ref)}/rows", dict[str, Any], offset=offset, limit=PAGE, part=_part(ref)
            )
            yield from page["items"]
            offset = page["next"]

    def diff(self, name: str, before: str, after: str, *, key: Sequence[str], shown: int | None = None) -> DatasetDiff:
        """How version `after` differs from version `before`, row by row under the columns in `key`."""
        at = path("api", "datasets", name, "diff")
        return self._connection.get(at, DatasetDiff, before=before, after=after, key=list(key), shown=shown)

    def _at(self, ref: str) -> str:
        name, _, version = ref.partition("/")[0].partition("@")
        return path("api", "datasets", name, "versions", version or "latest")


def _part(ref: str) -> str | None:
    return ref.partition("/")[2] or None
