"""`drop_duplicates: {by: [question]}`: of rows that are equal in these columns the first stays; `true`: in all."""

from __future__ import annotations

from typing import Any

from opsloop.datasets.preparation.errors import PreparationInvalid
from opsloop.datasets.preparation.rows import Rows
from opsloop.datasets.preparation.steps.registry import Apply, names, step


@step("drop_duplicates")
def drop_duplicates(at: str, wanted: Any) -> Apply:
    if isinstance(wanted, dict) and set(wanted) == {"by"}:
        wanted = wanted["by"]
    if isinstance(wanted, dict) or wanted is False or wanted is None:
        raise PreparationInvalid(field=at, value=wanted, wanted="{by: [question]}, or true for all columns")
    columns = () if wanted is True else names(at, wanted)

    def apply(rows: Rows) -> None:
        rows.need(at, columns)
        rows.keep_first(columns or list(rows.columns))

    return apply
