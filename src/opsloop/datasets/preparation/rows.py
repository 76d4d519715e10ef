"""The rows of a run on their way through the steps: a table of a confined DuckDB, on disk when it is large.

Each row has a number, `_opsloop_row`, which it keeps as long as steps only drop and change rows: so it can be told
which were dropped. Rows stay in the order of their numbers.
"""

# ruff: noqa: S608 (names are quoted; what users wrote runs in a connection that sees one folder)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from opsloop.datasets.columns import RESERVED
from opsloop.datasets.engine import literal, quoted
from opsloop.datasets.preparation.errors import PreparationInvalid, StepFailed

ROW = f"{RESERVED}_row"
_MISSING = f"{RESERVED}_missing"
VIEW = "rows"


class Rows:
    """Args:
    duck: a confined connection.
    folder: the one it may use.
    """

    def __init__(self, duck: Any, folder: Path) -> None:
        self.duck = duck
        self.folder = folder
        self.count = 0
        # Columns with DuckDB's types, in order; without the number.
        self.columns: dict[str, str] = {}
        # Whether the rows are the ones the last step got, fewer or changed.
        self.are_same = True
        self._number = 0

    def load(self, parquet: Path) -> None:
        """Begin with the rows of a snapshot's file; a key that a row does not have is null from here on."""
        self._made(f"SELECT row_number() OVER () AS {ROW}, * FROM read_parquet({literal(str(parquet))})")
        self.are_same = False

    def keep_where(self, condition: str) -> None:
        """Drop the rows for which an SQL condition is not true."""
        self._made(f"SELECT * FROM {self._table} WHERE (\n{condition}\n) ORDER BY {ROW}")

    def keep_first(self, by: Sequence[str]) -> None:
        """Of the rows with equal values in some columns keep the first."""
        names = ", ".join(map(quoted, by))
        self._made(
            f"SELECT * FROM {self._table} QUALIFY row_number() OVER (PARTITION BY {names} ORDER BY {ROW}) = 1 "
            f"ORDER BY {ROW}"
        )

    def choose(self, expressions: Mapping[str, str]) -> None:
        """Give the rows these columns: by name, an SQL expression over the ones they have."""
        chosen = ", ".join(f"{expression} AS {quoted(name)}" for name, expression in expressions.items())
        self._made(f"SELECT {ROW}, {chosen} FROM {self._table} ORDER BY {ROW}")

    def become(self, query: str) -> None:
        """Other rows: those of a query, in its order; they are numbered anew."""
        self._made(f"SELECT row_number() OVER () AS {ROW}, * FROM (\n{query}\n)")
        self.are_same = False

    def become_file(self, parquet: Path) -> None:
        """Other rows: those of a Parquet file in the folder."""
        self.become(f"SELECT * FROM read_parquet({literal(str(parquet))})")

    def save(self, parquet: Path, *, where: str = "true") -> None:
        """The rows without their numbers, as a Parquet file in the folder."""
        self.duck.execute(
            f"COPY (SELECT * EXCLUDE ({ROW}) FROM {self._table} WHERE {where} ORDER BY {ROW}) "
            f"TO {literal(str(parquet))} (FORMAT parquet, COMPRESSION zstd)"
        )

    def save_dropped(self, parquet: Path) -> int:
        """The rows that the step before dropped, with their numbers; returns how many. Only while they are the same."""
        before = f"rows_{self._number - 1}"
        query = f"SELECT * FROM {before} WHERE {ROW} NOT IN (SELECT {ROW} FROM {self._table}) ORDER BY {ROW}"
        self.duck.execute(f"COPY ({query}) TO {literal(str(parquet))} (FORMAT parquet, COMPRESSION zstd)")
        [count] = self.duck.execute(f"SELECT count(*) FROM read_parquet({literal(str(parquet))})").fetchone()
        return int(count)

    def counts(self, expression: str) -> dict[int, int]:
        """How many rows there are of each value of an SQL expression that gives whole numbers."""
        found = self.duck.execute(f"SELECT {expression} AS part, count(*) FROM {self._table} GROUP BY part").fetchall()
        return {int(part): int(count) for part, count in found}

    def need(self, at: str, names: Sequence[str], *, kind: str | None = None) -> None:
        """Raises: PreparationInvalid when a column is not there, or not of a kind such as VARCHAR."""
        for name in names:
            if name not in self.columns:
                wanted = f"columns of these rows: {', '.join(list(self.columns)[:20])}"
                raise PreparationInvalid(field=at, value=name, wanted=wanted)
            if kind is not None and self.columns[name] != kind:
                raise PreparationInvalid(field=at, value=name, wanted="columns of text")

    @property
    def _table(self) -> str:
        return f"rows_{self._number}"

    def _made(self, query: str) -> None:
        """The next table; the one before the last is let go. Raises: StepFailed when no row is left."""
        self.duck.execute(f"CREATE TABLE rows_{self._number + 1} AS {query}")
        if self._number:
            self.duck.execute(f"DROP TABLE IF EXISTS rows_{self._number - 1}")
        self._number += 1
        self.are_same = True
        described = self.duck.execute(f"DESCRIBE {self._table}").fetchall()
        self.columns = {name: kind for name, kind, *_ in described if name not in (ROW, _MISSING)}
        if any(name == _MISSING for name, *_ in described):
            self.duck.execute(f"ALTER TABLE {self._table} DROP COLUMN {_MISSING}")
        self.duck.execute(f"CREATE OR REPLACE VIEW {VIEW} AS SELECT * EXCLUDE ({ROW}) FROM {self._table}")
        [count] = self.duck.execute(f"SELECT count(*) FROM {self._table}").fetchone()
        self.count = int(count)


def none_left(step: str) -> StepFailed:
    return StepFailed(step=step, reason="no row is left; look at what it drops, and at what is read")
