"""Check expectations on a snapshot: all that are about single rows and figures in one pass over it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opsloop.core.errors import shown
from opsloop.datasets.engine import connected, literal, quoted
from opsloop.datasets.expectations.check import Check, FigureCheck, GroupsCheck, RowsCheck, Table, TableCheck
from opsloop.datasets.expectations.kinds.registry import known
from opsloop.datasets.expectations.models import Expectation
from opsloop.datasets.findings import BrokenRow, ExpectationReport, ExpectationResult
from opsloop.datasets.models import Column
from opsloop.guardrails.pii.scan import hidden

SHOWN = 5
VALUE_LIMIT = 60


def check(path: str, columns: Sequence[Column], rows: int, expectations: Sequence[Expectation]) -> ExpectationReport:
    """How the rows of a Parquet snapshot fare under expectations. Raises: ExtraNeeded."""
    table = Table({column.name: column.type for column in columns}, rows)
    with connected() as duck:
        asked = [(each, _check(duck, each, table)) for each in expectations]
        counts = _counts(duck, path, [check for _, check in asked])
        results = [_result(duck, path, each, check, count) for (each, check), count in zip(asked, counts, strict=True)]
    return ExpectationReport(all(each.met for each in results), tuple(results))


def _check(duck: Any, expectation: Expectation, table: Table) -> Check:
    kind = known()[expectation.expect]
    missing = [name for name in kind.columns(expectation.options) if name not in table.columns]
    if missing:
        return TableCheck(False, f"there is no column {', '.join(missing)}")
    if "pattern" in expectation.options and (reason := _not_a_pattern(duck, expectation.options["pattern"])):
        return TableCheck(False, reason)
    return kind.check(expectation.options, table)


def _not_a_pattern(duck: Any, pattern: str) -> str | None:
    import duckdb  # loaded by `connected`

    try:
        duck.execute("SELECT regexp_matches('', ?)", [pattern])
    except duckdb.Error as error:
        return f"the pattern cannot be used: {str(error).splitlines()[0]}"
    return None


def _counts(duck: Any, path: str, checks: Sequence[Check]) -> list[tuple[Any, ...]]:
    """What one pass gives for each check: rows counted and broken, a figure, or nothing."""
    asked = [_asked(check) for check in checks]
    wanted = [sql for parts in asked for sql in parts]
    found = iter(duck.execute(f"SELECT {', '.join(wanted)} FROM {_source(path)}").fetchone() if wanted else ())  # noqa: S608 (quoted)
    return [tuple(next(found) for _ in parts) for parts in asked]


def _asked(check: Check) -> tuple[str, ...]:
    if isinstance(check, RowsCheck):
        return (
            f"count(*) FILTER ({check.counted})",
            f"count(*) FILTER ({check.counted} AND ({check.broken}))",
        )
    if isinstance(check, FigureCheck):
        return (check.figure,)
    return ()


def _result(duck: Any, path: str, expectation: Expectation, check: Check, found: tuple[Any, ...]) -> ExpectationResult:
    said = (str(expectation), expectation.declared())
    if isinstance(check, TableCheck):
        return ExpectationResult(*said, met=check.met, observed=check.observed)
    if isinstance(check, FigureCheck):
        return ExpectationResult(*said, met=check.holds(found[0]), observed=f"it is {_figure(found[0])}")
    if isinstance(check, GroupsCheck):
        counted, broken = _shared(duck, path, check)
        rows = _first(duck, _shared_rows(path, check), check.shown) if broken else ()
    else:
        counted, broken = found
        where = f"SELECT * FROM {_source(path)} WHERE {check.counted} AND ({check.broken})"  # noqa: S608 (quoted)
        rows = _first(duck, where, check.shown) if broken else ()
    met = counted == 0 or (counted - broken) / counted >= expectation.mostly
    return ExpectationResult(*said, met=met, counted=counted, broken=broken, rows=rows)


def _shared(duck: Any, path: str, check: GroupsCheck) -> tuple[int, int]:
    columns = ", ".join(map(quoted, check.shown))
    counted, broken = duck.execute(
        f"SELECT coalesce(sum(n), 0)::BIGINT, coalesce(sum(n) FILTER (n > 1), 0)::BIGINT FROM "  # noqa: S608 (quoted)
        f"(SELECT count(*) AS n FROM {_source(path)} WHERE {check.counted} GROUP BY {columns})"
    ).fetchone()
    return counted, broken


def _shared_rows(path: str, check: GroupsCheck) -> str:
    columns = ", ".join(map(quoted, check.shown))
    return (
        f"SELECT * FROM {_source(path)} WHERE {check.counted} "  # noqa: S608 (quoted)
        f"QUALIFY count(*) OVER (PARTITION BY {columns}) > 1"
    )


def _first(duck: Any, rows: str, columns: Sequence[str]) -> tuple[BrokenRow, ...]:
    chosen = ", ".join(["file_row_number", *map(quoted, columns)])
    found = duck.execute(f"SELECT {chosen} FROM ({rows}) ORDER BY 1 LIMIT {SHOWN}").fetchall()  # noqa: S608 (quoted)
    return tuple(BrokenRow(number + 1, _value(columns, values)) for number, *values in found)


def _value(columns: Sequence[str], values: Sequence[Any]) -> str:
    return ", ".join(
        shown(hidden(value, heading=column) if isinstance(value, str) else value, limit=VALUE_LIMIT)
        for column, value in zip(columns, values, strict=True)
    )


def _figure(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_figure, value))}]"
    return "nothing: there are no values" if value is None else f"{value:g}"


def _source(path: str) -> str:
    return f"read_parquet({literal(path)}, file_row_number = true)"
