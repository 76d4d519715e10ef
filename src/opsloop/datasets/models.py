"""The nouns of datasets: versions, their columns, what is in them, who used them, how two of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from opsloop.datasets.findings import ExpectationReport, PiiReport

DatasetVersionId = NewType("DatasetVersionId", str)


class ColumnType(StrEnum):
    """What a column's values are.

    `json` holds lists, objects, and whole numbers too large for 64 bits; `empty` holds nulls only.
    """

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    JSON = "json"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: ColumnType


@dataclass(frozen=True, slots=True)
class TopValue:
    """A value that many rows of a column have, and how many."""

    value: str
    rows: int


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What is in a column.

    `nulls` counts rows without a value, of which `missing` do not have the key at all. `minimum`, `maximum` and `mean`
    are of numbers, the lengths of text in characters; booleans have the share of true as `mean`. `quantiles` are those
    of numbers at 0, 5, … 100 %. `top` are short texts that more than one row has, the most frequent first.
    """

    column: str
    nulls: int
    missing: int
    distinct: int
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    shortest: int | None = None
    longest: int | None = None
    mean_length: float | None = None
    quantiles: tuple[float, ...] = ()
    top: tuple[TopValue, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """One immutable snapshot of a dataset.

    `digest` names the rows: equal rows give it again, whatever file they come from. `artifact` is where the artifact
    store has the Parquet file, of `size_bytes`. `source` is the file's name as it was registered, the exact address of
    the table or files that the rows are from, or the run of the preparation that made them. `expectations` and `pii`
    say what was found when it was looked at last. With `part` it is those of its rows that are held out or those that
    are not (`golden@3/holdout`, `golden@3/dev`), with a digest of their own; `parts` counts both when rows of the
    dataset are held out.
    """

    id: DatasetVersionId
    name: str
    version: int
    digest: str
    artifact: str
    rows: int
    size_bytes: int
    schema: tuple[Column, ...]
    profile: tuple[ColumnProfile, ...]
    tags: tuple[str, ...]
    source: str
    created_at: datetime
    created_by: str
    expectations: ExpectationReport | None = None
    pii: PiiReport | None = None
    part: str = ""
    parts: Mapping[str, int] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        return f"{self.name}@{self.version}{f'/{self.part}' if self.part else ''}"

    def column(self, name: str) -> Column | None:
        return next((column for column in self.schema if column.name == name), None)


@dataclass(frozen=True, slots=True)
class DatasetUse:
    """Who used a version: `noun` and `target` are such as `evaluation` and its id."""

    dataset: str
    noun: str
    target: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DatasetSource:
    """What a version was made from: `noun` and `target` are such as `dataset` and `raw@3`, or `table` and a name."""

    dataset: str
    noun: str
    target: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DatasetLineage:
    """Where a version came from and who used it, newest first."""

    dataset: str
    made_from: tuple[DatasetSource, ...]
    used_by: tuple[DatasetUse, ...]


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A row that both versions have, with other values; `columns` names those that changed."""

    key: tuple[Any, ...]
    columns: tuple[str, ...]
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DatasetDiff:
    """How version `after` differs from version `before`: counts of all rows, and the first rows of each kind."""

    before: str
    after: str
    key: tuple[str, ...]
    added: int
    removed: int
    changed: int
    unchanged: int
    added_rows: tuple[dict[str, Any], ...]
    removed_rows: tuple[dict[str, Any], ...]
    changed_rows: tuple[ChangedRow, ...]
    added_columns: tuple[str, ...]
    removed_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueryColumn:
    """A column of an answer; `type` is the engine's word for it (`BIGINT`, `VARCHAR`)."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """What a query gave.

    `is_cut` says that there were more rows than an answer holds. `tables` tells which version each name stood for.
    """

    columns: tuple[QueryColumn, ...]
    rows: tuple[tuple[Any, ...], ...]
    is_cut: bool
    tables: dict[str, str]
