"""The noun that evaluators give and the bootstrap resamples. Needs no numpy by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy is an extra
    from opsloop.evaluation.statistics.rows import Floats


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of all rows together, for each way of weighing them.

    Attributes:
        values: one per row of the weights, shape (b,); NaN where it is not defined.
        rows: rows it speaks of, each counted once: those of a class, say.
        hits: how many of these rows, when the figure is the share of them that are right; None for other figures.
    """

    values: Floats
    rows: int
    hits: int | None = None
