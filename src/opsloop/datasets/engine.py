"""DuckDB, which writes and reads the Parquet snapshots; it comes with the extra `data`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opsloop.core.errors import ExtraNeeded

# Datasets share the machine with the gateway.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    "memory_limit": "1GB",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


@contextmanager
def connected() -> Iterator[Any]:
    """A DuckDB of its own, in memory. Raises: ExtraNeeded."""
    try:
        import duckdb  # an extra, 0.1 s to load: only work on datasets needs it
    except ImportError as error:
        raise ExtraNeeded(what="work on datasets", extra="data") from error
    with duckdb.connect(":memory:", config=_CONFIG) as connection:
        yield connection


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"
