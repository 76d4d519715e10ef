"""The rows of a window, found again in rows that are there: for who asks later what a run learned from.

A run itself reads them from the version's file (`reading`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from opsloop.datasets.models import Column
from opsloop.training import window as windows
from opsloop.training.run_errors import OperationInvalid, WindowEmpty
from opsloop.training.window import Window

if TYPE_CHECKING:
    from opsloop.training.pipeline import PipelineSpec
    from opsloop.training.table import Table

Rows = Iterable[Mapping[str, Any]]


def table_of(spec: PipelineSpec, schema: Iterable[Column], rows: Rows, window: Window) -> Table:
    """The rows of a window as a table to learn from. Raises: WindowEmpty, PipelineInvalid, DataUnfit."""
    from opsloop.training import tabulating  # brings NumPy
    from opsloop.training.table import column_of

    chosen = windowed(rows, window)
    if not chosen:
        raise WindowEmpty(window=window)
    columns = [column_of(each.name, [row.get(each.name) for row in chosen], each.type) for each in schema]
    return tabulating.table_of(spec, columns)


def windowed(rows: Rows, window: Window) -> list[Mapping[str, Any]]:
    """The rows of a pinned window, in their order. Raises: OperationInvalid for a column that holds no dates."""
    found = list(rows)
    column = window.column
    if column is None:
        return found if window.rows is None else found[-window.rows :]
    if found and not any(column in row for row in found):
        wanted = f"one of {', '.join(found[0])}"
        raise OperationInvalid(field="window.column", value=column, wanted=wanted)
    if window.since is not None:
        since = windows.instant(window.since)
        assert since is not None
        dated = [(windows.instant(row.get(column)), row) for row in found]
        if found and not any(at is not None for at, _ in dated):
            raise OperationInvalid(field="window.column", value=column, wanted="a column of dates such as 2026-11-01")
        found = [row for at, row in dated if at is not None and at >= since]
    if window.rows is None:
        return found
    known = [place for place, row in enumerate(found) if row.get(column) is not None]
    newest = sorted(known, key=lambda place: (_order(found[place][column]), place))[-window.rows :]
    return [found[place] for place in sorted(newest)]


def _order(value: Any) -> tuple[int, float, str]:
    """Numbers before instants before other text."""
    if isinstance(value, int | float):
        return 0, float(value), ""
    at = windows.instant(value)
    return (1, at.timestamp(), "") if at is not None else (2, 0.0, str(value))
