"""`drop_missing: [question]`: rows with no value there, or text of blanks alone, go."""

from __future__ import annotations

from typing import Any

from opsloop.datasets.engine import quoted
from opsloop.datasets.preparation.rows import Rows
from opsloop.datasets.preparation.steps.registry import Apply, names, step


@step("drop_missing")
def drop_missing(at: str, wanted: Any) -> Apply:
    columns = names(at, wanted)

    def apply(rows: Rows) -> None:
        rows.need(at, columns)
        rows.keep_where(" AND ".join(_is_there(name, rows.columns[name]) for name in columns))

    return apply


def _is_there(name: str, kind: str) -> str:
    column = quoted(name)
    return f"trim({column}) != ''" if kind == "VARCHAR" else f"{column} IS NOT NULL"
