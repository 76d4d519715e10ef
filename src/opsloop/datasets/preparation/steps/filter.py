"""`filter: "length(question) > 3"`: rows for which the SQL condition is not true go."""

from __future__ import annotations

from typing import Any

from opsloop.datasets.confined import one_condition
from opsloop.datasets.preparation.rows import Rows
from opsloop.datasets.preparation.steps.registry import Apply, step, text


@step("filter")
def filter(at: str, wanted: Any) -> Apply:
    condition = text(at, wanted)
    return lambda rows: _apply(rows, at, condition)


def _apply(rows: Rows, at: str, condition: str) -> None:
    rows.keep_where(one_condition(at, condition))
