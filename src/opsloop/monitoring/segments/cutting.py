"""Cut rows into parts by one column; pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

MOST = 8
OTHERS = "others"
MISSING = "missing"

Cut = Callable[[Any], str]
"""The part that a value belongs to."""


def by_category(values: Sequence[Any]) -> tuple[list[str], Cut]:
    """The most frequent values, the rest together."""
    counts = Counter(_word(value) for value in values if value is not None)
    names = [name for name, _ in counts.most_common(MOST)]
    known = set(names)

    def part(value: Any) -> str:
        if value is None:
            return MISSING
        return _word(value) if _word(value) in known else OTHERS

    return [*names, OTHERS, MISSING], part


def by_range(cuts: Sequence[float]) -> tuple[list[str], Cut]:
    """Ranges between cuts; a cut belongs to the range above it."""
    ends = sorted(set(cuts))
    names = [f"below {ends[0]:.4g}"]
    names += [f"{low:.4g} to {high:.4g}" for low, high in pairwise(ends)]
    names.append(f"from {ends[-1]:.4g}")

    def part(value: Any) -> str:
        return MISSING if value is None else names[bisect_right(ends, float(value))]

    return [*names, MISSING], part


def cut_of(values: Sequence[Any], *, is_number: bool) -> tuple[list[str], Cut]:
    """Quartiles of a number that takes many values, else categories."""
    present = [value for value in values if value is not None]
    if is_number and len(set(present)) > MOST:
        return by_range([float(each) for each in np.quantile(np.asarray(present, dtype=float), [0.25, 0.5, 0.75])])
    return by_category(values)


def _word(value: Any) -> str:
    return f"{float(value):g}" if isinstance(value, float | bool) else str(value)
