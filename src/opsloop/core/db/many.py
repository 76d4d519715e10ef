"""Insert many rows with one statement and plain tuples.

SQLAlchemy's own way prepares every row as a dictionary of named parameters, which for a short row costs more than the
database does. Types pass as the driver has them: columns that a type of SQLAlchemy converts do not belong here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Table
from sqlalchemy.orm import Session

_MARKS = {"qmark": "?", "format": "%s", "pyformat": "%s"}
"""How a driver marks a parameter, by its `paramstyle` (PEP 249)."""


def insert_new(
    session: Session, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]], *, key: str
) -> None:
    """Insert rows; one whose `key` is there already stays as it is.

    Args:
        columns: names of what a row has, in its order.
    """
    connection = session.connection()
    connection.exec_driver_sql(_statement(connection.dialect, table, columns, key), list(rows))


@lru_cache(64)
def _statement(dialect: Dialect, table: Table, columns: tuple[str, ...], key: str) -> str:
    quote = dialect.identifier_preparer.quote
    names = ", ".join(quote(table.c[name].name) for name in columns)
    marks = ", ".join([_MARKS[dialect.paramstyle]] * len(columns))
    into = dialect.identifier_preparer.format_table(table)
    # Names of tables and columns of ours, quoted; what callers send goes in as parameters.
    return f"INSERT INTO {into} ({names}) VALUES ({marks}) ON CONFLICT ({quote(key)}) DO NOTHING"  # noqa: S608
