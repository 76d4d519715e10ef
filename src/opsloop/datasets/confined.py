"""DuckDB that sees one folder and nothing else: for SQL that users wrote."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opsloop.core.errors import ExtraNeeded, InvalidInput
from opsloop.datasets.engine import literal

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


@contextmanager
def confined(folder: Path, *, memory: str = "1GB") -> Iterator[Any]:
    """A DuckDB whose tables spill into `folder`, the only one it may read and write. No setting can be changed in it.

    Raises: ExtraNeeded.
    """
    try:
        import duckdb  # an extra, 0.1 s to load: only work on datasets needs it
    except ImportError as error:
        raise ExtraNeeded(what="work on datasets", extra="data") from error
    folder = folder.resolve()
    file = folder / "work.duckdb"
    file.unlink(missing_ok=True)
    config = {**_CONFIG, "memory_limit": memory, "temp_directory": str(folder / "spill")}
    with duckdb.connect(str(file), config=config) as duck:
        duck.execute("SET TimeZone = 'UTC'")
        duck.execute(f"SET allowed_directories = [{literal(f'{folder}/')}]")
        duck.execute("SET python_enable_replacements = false")
        duck.execute("SET enable_external_access = false")
        duck.execute("SET lock_configuration = true")
        yield duck


def one_query(field: str, sql: str) -> str:
    """The SQL itself when it is one query that only reads. Raises: InvalidInput naming the field."""
    import duckdb

    wanted = "one SELECT"
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise wrong_sql(field, sql, error) from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise InvalidInput(field=field, value=sql, wanted=wanted)
    return sql.strip().rstrip(";")


def one_condition(field: str, sql: str) -> str:
    """The SQL itself when it is one condition on a row. Raises: InvalidInput naming the field."""
    one_query(field, f"SELECT 1 WHERE (\n{sql}\n)")
    return sql


def wrong_sql(field: str, sql: str, error: Exception) -> InvalidInput:
    """What DuckDB says of a query, in one sentence."""
    lines = str(error).splitlines()
    return InvalidInput(f"{field} is {sql.strip()!r}: {lines[0]}", field=field)
