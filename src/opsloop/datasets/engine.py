"""DuckDB, which writes and reads the Parquet snapshots; it comes with the extra `data`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opsloop.core.errors import ExtraNeeded

MEMORY_BYTES = 500_000_000
# Datasets share the machine with the gateway.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


@contextmanager
def connected(*, memory_bytes: int = MEMORY_BYTES, folder: Path | None = None) -> Iterator[Any]:
    """A DuckDB of its own, in memory.

    Args:
        memory_bytes: what it may take before it goes on in files.
        folder: for those files; default: one of its own, gone afterwards.
    Raises: ExtraNeeded.
    """
    try:
        import duckdb  # an extra, 0.1 s to load: only work on datasets needs it
    except ImportError as error:
        raise ExtraNeeded(what="work on datasets", extra="data") from error
    with tempfile.TemporaryDirectory(prefix="opsloop-duckdb-") as spill:
        config = _CONFIG | {"memory_limit": f"{memory_bytes}B", "temp_directory": str(folder or spill)}
        with duckdb.connect(":memory:", config=config) as connection:
            # Instants become text; equal rows are equal on every machine.
            connection.execute("SET TimeZone = 'UTC'")
            yield connection


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"
