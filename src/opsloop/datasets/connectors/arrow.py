"""Arrow batches to a Parquet file and back, a batch in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opsloop.core.errors import ExtraNeeded
from opsloop.datasets.confined import confined, one_condition, wrong_sql
from opsloop.datasets.connectors.address import Address
from opsloop.datasets.connectors.errors import AddressInvalid
from opsloop.datasets.connectors.port import Publication
from opsloop.datasets.engine import connected, literal, quoted
from opsloop.datasets.errors import FileBroken
from opsloop.datasets.models import ColumnType

BATCH_ROWS = 20_000
# What a float holds without losing a digit.
_EXACT_DIGITS = 15
_PUBLISHED = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.JSON: "VARCHAR",
    ColumnType.EMPTY: "VARCHAR",
}


def arrow() -> Any:
    """The module. Raises: ExtraNeeded."""
    try:
        import pyarrow  # an extra, 0.2 s to load
    except ImportError as error:
        raise ExtraNeeded(what="a table of a lakehouse", extra="lakehouse") from error
    return pyarrow


def write(reader: Any, address: Address, file: Path) -> None:
    """The rows of an Arrow reader as Parquet, those columns and rows of them that the address asks for.

    Decimals that a float may not hold exactly become text; bytes are refused.
    Raises: FileBroken naming the column; AddressInvalid when a column or the filter does not fit.
    """
    with confined(file.parent) as duck:
        duck.register("incoming", reader)
        _copy(duck, "incoming", address, file)


def combine(files: Sequence[Path], address: Address, file: Path) -> None:
    """The rows of Parquet files as one; columns go by their names. Raises: as `write`, and FileBroken."""
    with confined(file.parent) as duck:
        names = ", ".join(literal(str(each)) for each in files)
        _copy(duck, f"read_parquet([{names}], union_by_name = true)", address, file)


def _copy(duck: Any, rows: str, address: Address, file: Path) -> None:
    import duckdb

    try:
        there = {name: kind for name, kind, *_ in duck.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()}  # noqa: S608
        chosen = ", ".join(_expression(address, name, there[name]) for name in _wanted(address, there))
        where = ""
        if address.filter is not None:
            where = f"WHERE (\n{one_condition('filter', address.filter)}\n)"
        duck.execute(f"COPY (SELECT {chosen} FROM {rows} {where}) TO {literal(str(file))} (FORMAT parquet)")  # noqa: S608
    except (duckdb.BinderException, duckdb.PermissionException, duckdb.ConversionException) as error:
        raise wrong_sql("filter", address.filter or "", error) from None
    except duckdb.InvalidInputException as error:
        raise FileBroken(address.bare, "the table", f"rows that can be read ({_first_line(error)})") from error


def _wanted(address: Address, there: dict[str, str]) -> list[str]:
    names = list(there)
    folded = {name.casefold(): name for name in names}
    for name in address.columns:
        if name.casefold() not in folded:
            wanted = f"columns of {address.bare}: {', '.join(names[:20])}"
            raise AddressInvalid(field="columns", value=name, wanted=wanted)
    return [folded[name.casefold()] for name in address.columns] or names


def _expression(address: Address, name: str, kind: str) -> str:
    column = quoted(name)
    if kind == "BLOB" or (kind.endswith("]") and "BLOB" in kind):
        wanted = "numbers, text, booleans, moments or nested columns of them; name the others with columns="
        raise FileBroken(address.bare, "the table", wanted, column=name, value="bytes")
    if kind.startswith("DECIMAL") and not kind.endswith("]"):
        digits = int(kind.removeprefix("DECIMAL(").partition(",")[0])
        return f"{column}::DOUBLE AS {column}" if digits <= _EXACT_DIGITS else f"{column}::VARCHAR AS {column}"
    return column


@contextmanager
def rows_of(publication: Publication) -> Iterator[Any]:
    """The rows of a version as an Arrow reader; lists and objects are JSON text. Raises: ExtraNeeded."""
    arrow()
    chosen = ", ".join(
        f"{quoted(each.name)}::{_PUBLISHED[each.type]} AS {quoted(each.name)}" for each in publication.columns
    )
    with connected() as duck:
        found = duck.sql(f"SELECT {chosen} FROM read_parquet({literal(str(publication.file))})")  # noqa: S608 (quoted)
        yield found.to_arrow_reader(BATCH_ROWS)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
