"""Which unit is taken as independent: a row, a request, or a block of rows or of time.

Rows of real traffic depend on each other: on a day of warm weather every row is warm. A test that takes them as
independent alarms on most such days. Where the reference has an order, the smallest unit is chosen whose figures show
no dependence: no autocorrelation up to lag 10 in any column, by the test of Ljung and Box at 1 % over all columns,
above 0.1. Independent identically distributed blocks are exchangeable; a trend, a season or a memory shows here too.

Source: G. M. Ljung, G. E. P. Box, On a measure of lack of fit in time series models, Biometrika 65 (1978), 297-303.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from opsloop.core.errors import InvalidInput
from opsloop.monitoring.drift.blocks import SECONDS, Block, block_table, row_table
from opsloop.monitoring.drift.columns import Column, Floats, Ints

LEAST_BLOCKS = 30
_LAGS = 10
_ALPHA = 0.01
_MATTERS = 0.1
_ROWS = (8, 32, 100, 300, 1000)


def block_of(
    columns: Sequence[Column], bins: Sequence[Ints], wanted: str, at_s: Floats | None, *, is_ordered: bool
) -> Block:
    """The unit to take: the one that is wanted, or the smallest that looks independent.

    Raises: InvalidInput when hours or days are wanted and the reference has no times, or too few of them.
    """
    if wanted == "request":
        return Block("request", why="set so; rows of one request may depend on each other, requests may not")
    if wanted == "auto":
        return _chosen(columns, bins, at_s, is_ordered=is_ordered)
    block = Block(wanted) if wanted in ("row", *SECONDS) else Block("rows", int(wanted))
    if block.seconds is not None and at_s is None:
        raise InvalidInput(field="drift.block", value=wanted, wanted="row or auto: the baseline's rows have no times")
    block = _sized(block, at_s)
    table = _figures(columns, bins, block, at_s)
    if block.is_aggregate and len(table) < LEAST_BLOCKS:
        found = f"{len(table)} such blocks"
        raise InvalidInput(
            field="drift.block", value=wanted, wanted=f"at least {LEAST_BLOCKS}; the baseline has {found}"
        )
    if at_s is None and not is_ordered:
        return _with(block, "set so; the reference has no order to check it by", True)
    correlation, is_dependent = _dependence(table)
    if is_dependent:
        return _with(block, f"set so, though successive ones correlate ({correlation:.2f}): no rate is promised", False)
    return _with(block, "set so; the reference shows no dependence between them", True)


def _chosen(columns: Sequence[Column], bins: Sequence[Ints], at_s: Floats | None, *, is_ordered: bool) -> Block:
    if at_s is None and not is_ordered:
        return Block("row", why="the reference has no order, so rows are taken as independent, unchecked")
    candidates = [Block("row"), *(Block("rows", rows) for rows in _ROWS)]
    if at_s is not None:
        candidates = [Block("row"), *(Block(unit) for unit in SECONDS)]
    last, said = candidates[0], ""
    for candidate in candidates:
        block = _sized(candidate, at_s)
        table = _figures(columns, bins, block, at_s)
        if len(table) < LEAST_BLOCKS:
            break
        correlation, is_dependent = _dependence(table)
        if not is_dependent:
            why = f"{said}; those of one {block.words} do not" if said else "successive rows of it show no dependence"
            return _with(block, why, True)
        last = block
        of = "rows" if block.unit == "row" else f"figures of one {block.words}"
        said = f"successive {of} of the reference correlate ({correlation:.2f})"
    return _with(last, f"{said}, and it is too short for larger blocks: no rate is promised", False)


def _with(block: Block, why: str, is_independent: bool) -> Block:
    return Block(block.unit, block.rows, why, is_independent, block.least_rows)


def _sized(block: Block, at_s: Floats | None) -> Block:
    """With the least rows that a block of time needs: a quarter of what is usual."""
    if block.seconds is None or at_s is None:
        return block
    sizes = np.unique(np.floor(at_s / block.seconds), return_counts=True)[1]
    return Block(block.unit, int(np.median(sizes)), block.why, block.is_independent, max(1, int(np.median(sizes)) // 4))


def _dependence(table: Floats) -> tuple[float, bool]:
    """The largest autocorrelation over columns and lags, and whether it is there beyond chance and matters."""
    rows, columns = table.shape
    lags = max(1, min(_LAGS, rows // 5))
    limit = _chi_square_limit(lags, 1.0 - _ALPHA / max(columns, 1))
    largest, is_dependent = 0.0, False
    for place in range(columns):
        centred = table[:, place] - table[:, place].mean()
        power = float(centred @ centred)
        if power <= 1e-12:
            continue
        r = np.array([float(centred[lag:] @ centred[:-lag]) / power for lag in range(1, lags + 1)])
        q = rows * (rows + 2) * float((r**2 / (rows - np.arange(1, lags + 1))).sum())
        strongest = float(r[np.argmax(np.abs(r))])
        if abs(strongest) > abs(largest):
            largest = strongest
        is_dependent = is_dependent or (q > limit and abs(strongest) > _MATTERS)
    return largest, is_dependent


def _chi_square_limit(freedom: int, probability: float) -> float:
    """A quantile of chi-square (E. B. Wilson, M. M. Hilferty, PNAS 17 (1931), 684-688)."""
    part = 2.0 / (9.0 * freedom)
    return float(freedom * (1.0 - part + NormalDist().inv_cdf(probability) * math.sqrt(part)) ** 3)


def _figures(columns: Sequence[Column], bins: Sequence[Ints], block: Block, at_s: Floats | None) -> Floats:
    return block_table(columns, bins, block, at_s)[0] if block.is_aggregate else row_table(columns, bins)
