"""Figures that are no mean of rows: what an evaluator keeps of each row, and what it makes of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opsloop.evaluation.statistics.figure import Figure

if TYPE_CHECKING:  # numpy is an extra
    from opsloop.evaluation.statistics.rows import Floats

Part = Any
"""What is kept of a row, as JSON can hold it."""


Figures = Callable[[Sequence[Part], "Floats"], Mapping[str, Figure]]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What an evaluator makes of all rows together.

    Args:
        part: takes the inputs of a row and gives what to keep of it, None where the row has no say. Of a row on which
            the flow failed, or whose output is malformed, it is called with None for what the flow gave.
        figures: takes the parts, n of them, and weights of shape (b, n): how often each row counts, 0 or more. Gives
            the figures by name. It is called with ones for the value and with resamples for the interval.
        lower_is_better: the names of figures that are better when lower.
        unit: of its figures.
    """

    part: Callable[[Mapping[str, Any]], Part]
    figures: Figures
    lower_is_better: frozenset[str] = frozenset()
    unit: str = ""


MakeAggregate = Callable[[Mapping[str, Any]], Aggregate]
