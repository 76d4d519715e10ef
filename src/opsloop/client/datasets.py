"""Datasets and their versions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.core.errors import InvalidInput
from opsloop.datasets import documents
from opsloop.datasets.models import DatasetDiff, DatasetLineage, DatasetUse, DatasetVersion, QueryAnswer

AT = "/api/datasets"
PAGE = 1_000
# Work on a million rows takes longer than other answers.
FILE_TIMEOUT_S = 3_600.0
EXPORTED = {"jsonl": "jsonl", "ndjson": "jsonl", "csv": "csv", "parquet": "parquet"}


class Datasets:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def register(
        self, name: str, file: Path, *, tags: Sequence[str] = (), replace_holdout: str | None = None
    ) -> DatasetVersion:
        """Register a file's rows, or a row for each document of a folder.

        Rows that the dataset has already are the version they were.

        Args:
            replace_holdout: why held out rows may change or go; put on record.
        """
        at = path("api", "datasets", name, "versions")
        with _as_file(file) as (rows, filename):
            query = {"filename": filename, "tags": list(tags) or None, "replace_holdout": replace_holdout}
            return self._connection.post_file(at, DatasetVersion, rows, timeout_s=FILE_TIMEOUT_S, **query)

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
        """The version a text names: `golden@3`, `golden@TAG`, `golden@2026-11-20`, or `golden` for the current one.

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
        """How version `after` differs from version `before`, row by row under the columns in `key`.

        `before` and `after` are numbers, tags or times of the dataset, or versions of any: `golden@2`.
        """
        at = path("api", "datasets", name, "diff")
        return self._connection.get(at, DatasetDiff, before=before, after=after, key=list(key), shown=shown)

    def query(self, sql: str, *, limit: int | None = None) -> QueryAnswer:
        """Run one SELECT; names of datasets and versions such as `"golden@2"` are its tables."""
        body = {"sql": sql} | ({"limit": limit} if limit is not None else {})
        return self._connection.post(f"{AT}/query", QueryAnswer, body=body)

    def tag(self, ref: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> DatasetVersion:
        """Put tags on a version and take others off."""
        body = {"add": list(add), "remove": list(remove)}
        return self._connection.post(f"{self._at(ref)}/tags", DatasetVersion, body=body)

    def lineage(self, ref: str) -> DatasetLineage:
        """What a version was made from, and who used it."""
        return self._connection.get(f"{self._at(ref)}/lineage", DatasetLineage)

    def export(self, ref: str, file: Path) -> None:
        """Write a version's rows to a file: JSON lines, CSV or Parquet by the ending of its name."""
        format = file.suffix.lower().removeprefix(".")
        if format not in EXPORTED:
            wanted = f"a name that ends in {', '.join(f'.{each}' for each in EXPORTED)}"
            raise InvalidInput(field="file", value=str(file), wanted=wanted)
        self._connection.save(
            f"{self._at(ref)}/export", file, timeout_s=FILE_TIMEOUT_S, format=EXPORTED[format], part=_part(ref)
        )

    def _at(self, ref: str) -> str:
        name, _, version = ref.partition("/")[0].partition("@")
        return path("api", "datasets", name, "versions", version or "latest")


def _part(ref: str) -> str | None:
    return ref.partition("/")[2] or None


@contextmanager
def _as_file(file: Path) -> Iterator[tuple[Path, str]]:
    """What is to be sent, and its name."""
    if not file.is_dir():
        yield file, file.name
        return
    with tempfile.TemporaryDirectory(prefix="opsloop-documents-") as folder:
        lines = Path(folder) / "documents.jsonl"
        documents.write_lines(file, lines)
        yield lines, f"{file.resolve().name}.jsonl"
