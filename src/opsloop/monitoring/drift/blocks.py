"""The unit that is taken as independent: a row, a request, or a block of rows or of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from opsloop.monitoring.drift.columns import Column, Floats, Ints


@dataclass(frozen=True, slots=True)
class Block:
    """Args:
    unit: row, request, hour, day or rows.
    rows: of a block of so many rows.
    why: what it was chosen for, as a clause.
    is_independent: nothing speaks against blocks being independent of each other.
    """

    unit: str
    rows: int = 1
    why: str = ""
    is_independent: bool = True

    @property
    def is_aggregate(self) -> bool:
        """Whether figures of the block are tested, instead of its rows."""
        return self.unit in ("hour", "day", "rows")

    @property
    def seconds(self) -> float | None:
        return {"hour": 3600.0, "day": 86_400.0}.get(self.unit)

    def as_mapping(self) -> dict[str, Any]:
        return asdict(self)


ROW = Block("row")


def block_of(
    columns: Sequence[Column], bins: Sequence[Ints], wanted: str, at_s: Floats | None, *, is_ordered: bool
) -> Block:
    return Block("row", why="the reference has no order, so rows are taken as independent")


def block_table(
    columns: Sequence[Column], bins: Sequence[Ints], block: Block, at_s: Floats | None
) -> tuple[Floats, list[str]]:
    raise NotImplementedError


class Aggregate:
    """The block that is open."""

    completed_rows = 0

    def __init__(self, reference: Any) -> None: ...
    def add(self, bins: Sequence[Ints], at_s: float) -> list[tuple[int, list[float] | None]]:
        return []

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None: ...
