"""`trim: [question]`: blanks at the ends of text go, and runs of blanks between words become one space."""

from __future__ import annotations

from typing import Any

from opsloop.datasets.engine import quoted
from opsloop.datasets.preparation.rows import Rows
from opsloop.datasets.preparation.steps.registry import Apply, names, step


@step("trim")
def trim(at: str, wanted: Any) -> Apply:
    columns = names(at, wanted)

    def apply(rows: Rows) -> None:
        rows.need(at, columns, kind="VARCHAR")
        rows.choose({name: _trimmed(name) if name in columns else quoted(name) for name in rows.columns})

    return apply


def _trimmed(name: str) -> str:
    return rf"trim(regexp_replace({quoted(name)}, '[\s\p{{Z}}]+', ' ', 'g'))"
