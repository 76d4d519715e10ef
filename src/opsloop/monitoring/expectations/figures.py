"""Expectations of figures over the rows of one request; a request whose rows give no figure meets them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from opsloop.datasets.expectations.check import is_inside
from opsloop.datasets.expectations.options import ends
from opsloop.monitoring.expectations.columns import present

Options = Mapping[str, Any]
FigureCheck = Callable[[Any], bool]
"""Whether a column meets it."""

_NUMBERS: dict[str, Callable[[Any], float]] = {
    "mean": np.mean,
    "median": np.median,
    "min": np.min,
    "max": np.max,
    "sum": np.sum,
    "stdev": lambda values: np.std(values, ddof=1) if len(values) > 1 else math.nan,
}


def of_numbers(figure: str) -> Callable[[Options], FigureCheck]:
    compute = _NUMBERS[figure]

    def compiled(options: Options) -> FigureCheck:
        limits = ends(options)

        def check(column: Any) -> bool:
            values = present(column)
            value = float(compute(np.asarray(values, dtype=float))) if values else math.nan
            return math.isnan(value) or is_inside(value, **limits)

        return check

    return compiled


def distinct(options: Options, *, as_share: bool) -> FigureCheck:
    limits = ends(options)

    def check(column: Any) -> bool:
        values = present(column)
        count = len(set(values))
        return not values or is_inside(count / len(values) if as_share else count, **limits)

    return check


def quantiles_between(options: Options) -> FigureCheck:
    def check(column: Any) -> bool:
        values = present(column)
        if not values:
            return True
        found = np.quantile(np.asarray(values, dtype=float), options["quantiles"], method="inverted_cdf")
        return all(is_inside(float(value), *limits) for value, limits in zip(found, options["ranges"], strict=True))

    return check


CHECKS: dict[str, Callable[[Options], FigureCheck]] = {
    **{f"{figure}_between": of_numbers(figure) for figure in _NUMBERS},
    "unique_value_count_between": lambda options: distinct(options, as_share=False),
    "proportion_of_unique_values_between": lambda options: distinct(options, as_share=True),
    "quantiles_between": quantiles_between,
}

OF_NUMBERS = frozenset(f"{figure}_between" for figure in _NUMBERS)
