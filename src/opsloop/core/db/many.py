"""Insert many rows with few statements and plain tuples.

SQLAlchemy's own way prepares every row as a dictionary of named parameters, which for a short row costs more than the
database does. Types pass as the driver has them: columns that a type of SQLAlchemy converts do not belong here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Dialect, Table
from sqlalchemy.orm import Session

ROWS_AT_ONCE = 100
"""Rows of one statement: a step of SQLite lets the interpreter's lock go, and getting it back under load costs more
than the row. 2,100 parameters where a row has 21; SQLite takes 32,766, PostgreSQL 65,535."""
_MARKS = {"qmark": "?", "format": "%s", "pyformat": "%s"}
"""How a driver marks a parameter, by its `paramstyle` (PEP 249)."""


def insert_new(
    session: Session, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]], *, key: str | None = None
) -> None:
    """Insert rows; one whose `key` is there already stays as it is.

    Args:
        columns: names of what a row has, in its order.
        key: None: no row may be there already.
    """
    connection = session.connection()
    whole = len(rows) - len(rows) % ROWS_AT_ONCE
    many = _statement(connection.dialect, table, columns, key, ROWS_AT_ONCE)
    for at in range(0, whole, ROWS_AT_ONCE):
        connection.exec_driver_sql(many, tuple(chain.from_iterable(rows[at : at + ROWS_AT_ONCE])))
    if whole < len(rows):
        one = _statement(connection.dialect, table, columns, key, 1)
        connection.exec_driver_sql(one, list(rows[whole:]))


@lru_cache(64)
def _statement(dialect: Dialect, table: Table, columns: tuple[str, ...], key: str | None, rows: int) -> str:
    quote = dialect.identifier_preparer.quote
    names = ", ".join(quote(table.c[name].name) for name in columns)
    row = f"({', '.join([_MARKS[dialect.paramstyle]] * len(columns))})"
    into = dialect.identifier_preparer.format_table(table)
    stays = "" if key is None else f" ON CONFLICT ({quote(key)}) DO NOTHING"
    # Names of tables and columns of ours, quoted; what callers send goes in as parameters.
    return f"INSERT INTO {into} ({names}) VALUES {', '.join([row] * rows)}{stays}"  # noqa: S608
