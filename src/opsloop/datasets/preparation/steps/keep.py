"""`keep: [question, answer]`: the other columns go."""

from __future__ import annotations

from typing import Any

from opsloop.datasets.engine import quoted
from opsloop.datasets.preparation.rows import Rows
from opsloop.datasets.preparation.steps.registry import Apply, names, step


@step("keep")
def keep(at: str, wanted: Any) -> Apply:
    columns = names(at, wanted)

    def apply(rows: Rows) -> None:
        rows.need(at, columns)
        rows.choose({name: quoted(name) for name in columns})

    return apply
