"""Fit a reference: what an endpoint's rows are held against, from training rows and what the model says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from opsloop.core.errors import InvalidInput
from opsloop.monitoring.drift import pairs as linked
from opsloop.monitoring.drift.blocks import ROW, Block, block_table
from opsloop.monitoring.drift.columns import Column, Floats, category_column, is_missing, number_column, numbers
from opsloop.monitoring.drift.options import DriftOptions, Rule
from opsloop.monitoring.drift.reference import PREDICTION, Reference
from opsloop.monitoring.drift.units import block_of

LEAST_ROWS = 30
"""Rows or blocks below which nothing can be tested."""
_FEW_CLASSES = 24


def fit(
    baseline: np.ndarray[Any, Any],
    predictions: Sequence[Any] | np.ndarray[Any, Any] | None,
    names: Sequence[str],
    options: DriftOptions | None = None,
    *,
    categories: Mapping[str, Sequence[object]] | None = None,
    classes: Sequence[object] = (),
    at_s: Sequence[float] | Floats | None = None,
    is_ordered: bool = False,
) -> Reference:
    """The reference of a model. Slow (some 10 ms); once per release.

    Args:
        baseline: rows (rows, inputs), of numbers, or of objects with text among them.
        predictions: what the model says of them; None when they are not watched.
        categories: by name of a text input, its labels; a column of numbers holds places in them.
        classes: labels of a classification; predictions that are an array of numbers hold places in them.
        at_s: when each row came, in seconds; then blocks of time can be chosen.
        is_ordered: the rows are in the order in which they came.
    Raises: InvalidInput for a baseline that is too short or has other columns than names.
    """
    options = options or DriftOptions()
    _check(baseline, predictions, names, options)
    watched = [place for place, name in enumerate(names) if not options.columns or name in options.columns]
    raw = [_raw_column(names[place], baseline[:, place], (categories or {}).get(names[place], ())) for place in watched]
    encoded = [
        column.bins(_decoded(baseline[:, place], column, categories))
        for place, column in zip(watched, raw, strict=True)
    ]
    if predictions is not None and options.watch_predictions:
        column, values = _prediction_column(predictions, classes)
        raw.append(column)
        encoded.append(column.bins(values))
        watched.append(-1)
    times = None if at_s is None else np.asarray(at_s, dtype=np.float64)
    block = (
        ROW
        if options.method is not Rule.SEQUENTIAL
        else block_of(raw, encoded, options.block, times, is_ordered=is_ordered)
    )
    columns = list(raw)
    if block.is_aggregate:
        table, names_of = block_table(raw, encoded, block, times)
        columns = [number_column(name, table[:, place]) for place, name in enumerate(names_of)]
        encoded = [column.bins(table[:, place]) for place, column in enumerate(columns)]
        _check_blocks(block, len(table))
    groups = [linked.groups_of(column)[bins] for column, bins in zip(columns, encoded, strict=True)]
    inputs = sum(place >= 0 for place in watched)
    pairs = [] if block.is_aggregate else linked.chosen(groups, inputs)
    return Reference(
        options=options,
        raw=tuple(raw),
        places=tuple(watched),
        block=block,
        columns=tuple(columns),
        pairs=tuple(pairs),
        bins=np.column_stack(encoded).astype(np.int16),
    )


def _check(baseline: np.ndarray[Any, Any], predictions: Any, names: Sequence[str], options: DriftOptions) -> None:
    if baseline.ndim != 2 or baseline.shape[1] != len(names):
        raise InvalidInput(field="baseline", value=baseline.shape, wanted=f"rows with {len(names)} inputs")
    if len(baseline) < LEAST_ROWS and options.method is not Rule.NONE:
        wanted = f"at least {LEAST_ROWS} rows; with fewer nothing can be told from chance"
        raise InvalidInput(field="baseline", value=f"{len(baseline)} rows", wanted=wanted)
    if predictions is not None and len(predictions) != len(baseline):
        raise InvalidInput(field="predictions", value=len(predictions), wanted=f"one for each of {len(baseline)} rows")
    for name in options.columns:
        if name not in names:
            raise InvalidInput(field="drift.columns", value=name, wanted=f"one of {', '.join(names)}")


def _check_blocks(block: Block, blocks: int) -> None:
    if blocks < LEAST_ROWS:
        wanted = f"at least {LEAST_ROWS} whole blocks in the baseline; it has {blocks}"
        raise InvalidInput(field="drift.block", value=block.words, wanted=wanted)


def _raw_column(name: str, values: np.ndarray[Any, Any], labels: Sequence[object]) -> Column:
    if labels:
        return category_column(name, _labelled(values, labels), labels)
    if values.dtype != object:
        return number_column(name, values.astype(np.float64))
    if any(isinstance(value, str) for value in values):
        return category_column(name, values.tolist())
    return number_column(name, numbers(values.tolist()))


def _decoded(values: np.ndarray[Any, Any], column: Column, categories: Mapping[str, Sequence[object]] | None) -> Any:
    if not column.is_category:
        return values if values.dtype != object else numbers(values.tolist())
    return _labelled(values, (categories or {}).get(column.name, ()))


def _labelled(values: Any, labels: Sequence[object]) -> list[object]:
    """Labels: those of an array of numbers, which are places among `labels`, or as they are."""
    listed: list[Any] = values.tolist() if isinstance(values, np.ndarray) else list(values)
    if not labels or not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf":
        return listed
    return [
        None if is_missing(value) else labels[int(value)] if 0 <= value < len(labels) else value for value in listed
    ]


def _prediction_column(predictions: Any, classes: Sequence[object]) -> tuple[Column, Any]:
    listed: list[Any] = predictions.tolist() if isinstance(predictions, np.ndarray) else list(predictions)
    if classes:
        values = _labelled(predictions, classes)
        return category_column(PREDICTION, values, classes), values
    is_named = any(isinstance(value, str | bool) for value in listed)
    if is_named or (len(set(listed)) <= _FEW_CLASSES and all(float(value).is_integer() for value in listed)):
        return category_column(PREDICTION, listed), listed
    table = numbers(listed)
    return number_column(PREDICTION, table), table
