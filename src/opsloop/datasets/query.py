"""SQL over datasets: SELECTs that see versions as tables, and nothing else of this machine.

DuckDB runs them with no access to files but the snapshots that the query names, none to the network or extensions, and
with its settings locked; a query has limits of time, memory and rows.
"""

from __future__ import annotations

import math
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from opsloop.core.caller import Caller, Role
from opsloop.core.errors import NotFound, TimedOut
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.datasets import service as datasets
from opsloop.datasets.engine import connected, literal, quoted
from opsloop.datasets.errors import DatasetMissing
from opsloop.datasets.models import DatasetVersion, QueryAnswer, QueryColumn
from opsloop.datasets.part_file import parquet_of
from opsloop.datasets.settings import DatasetSettings
from opsloop.datasets.sql import QueryRefused, Select, select

ANSWER_LIMIT_BYTES = 50_000_000
_NAMED = 20
_BATCH = 256
_LOCKS = (
    "SET python_enable_replacements = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


class TableUnknown(NotFound):
    template = "the query names {name!r}, which is no dataset{near}; {known}"


class QueryTooSlow(TimedOut):
    template = (
        "the query took over {timeout_s:g} s and was stopped; read less, or raise OPSLOOP_DATASET_QUERY_TIMEOUT_S"
    )


def ask(workspace: Workspace, by: Caller, sql: str, *, limit: int | None = None) -> QueryAnswer:
    """Run one SELECT over datasets: `golden`, `"golden@2"` and `"golden@2026-11-20"` are tables in it.

    Args:
        limit: rows to give back at most; at most what the settings allow.
    Raises: QueryRefused with the reason, TableUnknown listing what may be named, QueryTooSlow, ArtifactMissing,
        ExtraNeeded.
    """
    by.require(Role.VIEWER)
    settings = workspace.section(DatasetSettings)
    count = min(limit or settings.dataset_query_rows, settings.dataset_query_rows)
    with (
        tempfile.TemporaryDirectory(prefix="opsloop-query-") as folder,
        connected(memory_bytes=settings.dataset_memory_bytes) as duck,
    ):
        found = select(duck, sql)
        with workspace.reading(by) as uow:
            tables = _tables(uow, found)
            paths = {name: parquet_of(uow, duck, each, Path(folder)) for name, each in tables.items()}
        for name, version in tables.items():
            _show(duck, name, version, paths[name])
        _lock(duck, list(paths.values()))
        with _within(duck, settings.dataset_query_timeout_s), _in_our_words(paths):
            answer = duck.execute(found.text)
            columns = tuple(QueryColumn(name, str(kind)) for name, kind, *_ in answer.description)
            rows, is_cut = _rows(answer, columns, count)
    return QueryAnswer(columns, rows, is_cut, {name: version.ref for name, version in tables.items()})


def _tables(uow: UnitOfWork, found: Select) -> dict[str, DatasetVersion]:
    """The versions that the names in a query stand for. Raises: TableUnknown."""
    tables = {}
    for name in found.tables:
        try:
            tables[name] = datasets.get(uow, name)
        except DatasetMissing as error:
            if name not in found.own:
                raise _unknown(uow, name, error) from None
    return tables


def _lock(duck: Any, paths: Sequence[Path]) -> None:
    """From now on the engine opens these files and no others, and stays as it is."""
    allowed = ", ".join(literal(str(path)) for path in paths)
    for lock in (f"SET allowed_paths = [{allowed}]", *_LOCKS):
        duck.execute(lock)


def _show(duck: Any, name: str, version: DatasetVersion, path: Path) -> None:
    chosen = ", ".join(quoted(column.name) for column in version.schema)
    source = f"read_parquet({literal(str(path))})"
    duck.execute(f"CREATE TEMP VIEW {quoted(name)} AS SELECT {chosen} FROM {source}")  # noqa: S608 (quoted)


def _rows(found: Any, columns: Sequence[QueryColumn], count: int) -> tuple[tuple[tuple[Any, ...], ...], bool]:
    """The first rows as JSON values, and whether there were more."""
    is_json = [column.type == "JSON" for column in columns]
    rows: list[tuple[Any, ...]] = []
    size_bytes = 0
    while batch := found.fetchmany(_BATCH):
        for values in batch:
            row = tuple(
                msgspec.json.decode(value) if nested and value is not None else _plain(value)
                for value, nested in zip(values, is_json, strict=True)
            )
            size_bytes += len(msgspec.json.encode(row))
            if len(rows) == count or size_bytes > ANSWER_LIMIT_BYTES:
                return tuple(rows), True
            rows.append(row)
    return tuple(rows), False


def _plain(value: Any) -> Any:
    """A value as JSON can hold it: instants as ISO text, bytes as hexadecimal digits, numbers that are none as text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case bytes():
            return value.hex()
        case dict():
            return {str(key): _plain(part) for key, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
        case _:
            return str(value)


@contextmanager
def _within(duck: Any, timeout_s: float) -> Iterator[None]:
    """Stop the engine when a query takes too long. Raises: QueryTooSlow."""
    import duckdb  # loaded by `connected`

    watch = threading.Timer(timeout_s, duck.interrupt)
    watch.daemon = True
    watch.start()
    try:
        yield
    except duckdb.InterruptException:
        raise QueryTooSlow(timeout_s=timeout_s) from None
    finally:
        watch.cancel()


@contextmanager
def _in_our_words(paths: Mapping[str, Path]) -> Iterator[None]:
    """The engine's errors as ours, without the places of files. Raises: QueryRefused."""
    import duckdb  # loaded by `connected`

    try:
        yield
    except duckdb.InterruptException:
        raise
    except duckdb.OutOfMemoryException:
        raise QueryRefused("needs more memory than it may have; read fewer columns or rows at once") from None
    except duckdb.Error as error:
        reason = " ".join(str(error).partition("\n\nLINE ")[0].split())
        for name, path in paths.items():
            reason = reason.replace(str(path), name)
        raise QueryRefused(reason[:500]) from None


def _unknown(uow: UnitOfWork, name: str, error: DatasetMissing) -> TableUnknown:
    known = [version.name for version in datasets.listed(uow, limit=_NAMED)]
    near = error.facts["near"].removesuffix("?")
    if not known:
        return TableUnknown(name=name, near=near, known="there are no datasets yet")
    names = ", ".join(quoted(each) if not each.isidentifier() else each for each in known)
    more = " …" if len(known) == _NAMED else ""
    return TableUnknown(name=name, near=near, known=f'it may name {names}{more}, or a version as "{known[0]}@1"')
