"""`rename: {q: question}`: columns get other names."""

from __future__ import annotations

from typing import Any

from opsloop.datasets.engine import quoted
from opsloop.datasets.preparation.errors import PreparationInvalid
from opsloop.datasets.preparation.rows import Rows
from opsloop.datasets.preparation.steps.registry import Apply, step


@step("rename")
def rename(at: str, wanted: Any) -> Apply:
    if not isinstance(wanted, dict) or not wanted or not all(isinstance(new, str) and new for new in wanted.values()):
        raise PreparationInvalid(field=at, value=wanted, wanted="old names and new ones, such as {q: question}")

    def apply(rows: Rows) -> None:
        rows.need(at, list(wanted))
        new = [wanted.get(name, name) for name in rows.columns]
        for name in wanted.values():
            if [each.casefold() for each in new].count(name.casefold()) > 1:
                raise PreparationInvalid(field=at, value=name, wanted="a name that no other column has")
        rows.choose({wanted.get(name, name): quoted(name) for name in rows.columns})

    return apply
