"""Columns as a table to learn from, with every reason for which they cannot be one in a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from opsloop.datasets.models import ColumnType
from opsloop.training.errors import DataUnfit, PipelineInvalid
from opsloop.training.leaks import leak_notes
from opsloop.training.pipeline import PipelineSpec
from opsloop.training.table import LARGEST, Array, ColumnData, Feature, Table, column_of
from opsloop.training.targets import labels_of, numbers_of, task_of

CATEGORIES_KEPT = 1_000
"""Most categories of a text that are listed with its feature."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}( .*)?")
_LOOKED_AT = 200
_NUMERIC = (ColumnType.NUMBER, ColumnType.INTEGER, ColumnType.BOOLEAN)


def table_of(spec: PipelineSpec, columns: Sequence[ColumnData]) -> Table:
    """Raises: PipelineInvalid for columns that are not there, DataUnfit for those that cannot be learned from."""
    known = {column.name: column for column in columns}
    _check_known(spec, known)
    notes: list[str] = []
    target = known[spec.target]
    kept = np.flatnonzero(~target.missing)
    if len(kept) < len(target.missing):
        notes.append(f"{len(target.missing) - len(kept)} rows without a {spec.target} are left out")
        known = {name: column.kept(kept) for name, column in known.items()}
    if not len(kept):
        raise DataUnfit(field=spec.at("target"), value=spec.target, wanted="a column with values; it has none")
    chosen = _chosen(spec, known, notes)
    task = spec.task or task_of(known[spec.target])
    if spec.task is None:
        notes.append(f"{spec.target} is predicted by {task}, as its values suggest; task: says otherwise")
    y, classes = (
        labels_of(spec, known[spec.target]) if task == "classification" else numbers_of(spec, known[spec.target])
    )
    notes += [f"{each.name} has one value in all rows" for each in chosen if _is_constant(each)]
    notes += leak_notes(chosen, y)
    return Table(
        X=_matrix(chosen),
        y=y,
        features=tuple(_feature(each) for each in chosen),
        target=spec.target,
        task=task,
        classes=classes,
        weights=_weights(spec, known),
        groups=_groups(spec, known),
        times=_times(spec, known),
        notes=tuple(notes),
    )


def table_of_arrays(spec: PipelineSpec, X: Array, y: Array, names: Sequence[str], **others: Array) -> Table:
    """A table from a matrix and its target; `others` are columns that the pipeline names besides."""
    twice = [name for place, name in enumerate(names) if name in (*names[:place], spec.target, *others)]
    if twice:
        raise DataUnfit(field="names", value=twice[0], wanted="names that differ from each other and the target's")
    if X.ndim != 2 or X.shape[1] != len(names) or len(X) != len(y):
        wanted = f"rows with {len(names)} features each, one row for each of the {len(y)} targets"
        raise DataUnfit(field="X", value=X.shape, wanted=wanted)
    columns = [column_of(name, X[:, place]) for place, name in enumerate(names)]
    columns += [column_of(name, values) for name, values in {spec.target: y, **others}.items()]
    return table_of(spec, columns)


def _check_known(spec: PipelineSpec, known: Mapping[str, ColumnData]) -> None:
    places = [(spec.at("target"), spec.target), (spec.at("weight"), spec.weight)]
    places += [(f"{spec.at('features')}[{place}]", name) for place, name in enumerate(spec.features)]
    for key, part in (("holdout", spec.holdout), ("cross_validation", spec.cross_validation)):
        if part is not None:
            places.append((f"{spec.at(key)}.by", part.division.by))
            places.append((f"{spec.at(key)}.time_ordered", part.division.time_column))
    for field, name in places:
        if name and name not in known:
            wanted = f"one of the dataset's columns {', '.join(known)}"
            raise PipelineInvalid(field, wanted, known=tuple(known), value=name)


def _chosen(spec: PipelineSpec, known: Mapping[str, ColumnData], notes: list[str]) -> list[ColumnData]:
    """The features' columns; of those not asked for by name, empty ones are left out."""
    names = spec.features or tuple(name for name in known if name not in spec.apart)
    found = []
    for name in names:
        column = known[name]
        if column.missing.all() and not spec.features:
            notes.append(f"{name} has no values and is left out")
            continue
        _check_feature(spec, column)
        found.append(column)
    if not found:
        raise DataUnfit(field=spec.at("features"), wanted="at least one column besides the target")
    return found


def _check_feature(spec: PipelineSpec, column: ColumnData) -> None:
    field = f"{spec.at('features')}: column {column.name}"
    leave = "or leave it out of features"
    if column.missing.all():
        raise DataUnfit(field=field, wanted=f"values; it has none: {leave[3:]}")
    if column.type is ColumnType.JSON:
        value = column.values[~column.missing][0]
        raise DataUnfit(field=field, value=value, wanted=f"numbers, text or booleans in a preparation, {leave}")
    if column.type in _NUMERIC:
        check_size(field, column.values)
        return
    seen = column.values[~column.missing][:_LOOKED_AT]
    if sum(_DATE.fullmatch(str(text)) is not None for text in seen) > 0.9 * len(seen):
        wanted = f"no dates as text: make numbers of them in a preparation (days since a day, month, weekday), {leave}"
        raise DataUnfit(field=field, value=seen[0], wanted=wanted)


def check_size(field: str, numbers: Array) -> None:
    """Raises: DataUnfit for numbers whose squares are infinite in float32, or that are so themselves."""
    largest = np.nanmax(np.abs(numbers))
    if largest > LARGEST:
        wanted = f"finite numbers within ±{LARGEST:g}, or none where one is missing"
        raise DataUnfit(field=field, value=float(largest), wanted=wanted)


def _feature(column: ColumnData) -> Feature:
    has_missing = bool(column.missing.any())
    if column.type is ColumnType.TEXT:
        found = sorted(set(column.values[~column.missing]))
        listed = tuple(found) if len(found) <= CATEGORIES_KEPT else ()
        return Feature(column.name, column.type, categories=listed, has_missing=has_missing, distinct=len(found))
    low, high = float(np.nanmin(column.values)), float(np.nanmax(column.values))
    return Feature(column.name, column.type, low, high, has_missing=has_missing)


def _matrix(columns: Sequence[ColumnData]) -> Array:
    kind = np.float64 if all(each.type in _NUMERIC for each in columns) else np.object_
    found = np.empty((len(columns[0].values), len(columns)), dtype=kind, order="F")
    for place, each in enumerate(columns):
        found[:, place] = each.values
    return found


def _is_constant(column: ColumnData) -> bool:
    return not column.missing.any() and bool((column.values == column.values[0]).all())


def _weights(spec: PipelineSpec, known: Mapping[str, ColumnData]) -> Array | None:
    if not spec.weight:
        return None
    column = known[spec.weight]
    if column.type not in _NUMERIC or column.missing.any() or (column.values < 0).any() or not column.values.any():
        wanted = "a column of numbers from 0 on in all rows, some of them above 0"
        raise DataUnfit(field=spec.at("weight"), value=spec.weight, wanted=wanted)
    return column.values


def _groups(spec: PipelineSpec, known: Mapping[str, ColumnData]) -> dict[str, Array]:
    """Numbers of the groups, those of a missing value each for itself."""
    found = {}
    for name in _division_columns(spec, "by"):
        column = known[name]
        _, numbers = np.unique(column.values.astype(str), return_inverse=True)
        numbers = numbers.astype(np.int64)
        numbers[column.missing] = numbers.max() + 1 + np.arange(column.missing.sum())
        found[name] = numbers
    return found


def _times(spec: PipelineSpec, known: Mapping[str, ColumnData]) -> dict[str, Array]:
    found = {}
    for name in _division_columns(spec, "time_column"):
        column = known[name]
        if column.missing.any() or column.type is ColumnType.JSON:
            wanted = "a column with a number or a date as text (2026-01-31) in all rows"
            raise DataUnfit(field=f"time_ordered: column {name}", wanted=wanted)
        values = column.values if column.type in _NUMERIC else column.values.astype(str)
        _, found[name] = np.unique(values, return_inverse=True)
    return found


def _division_columns(spec: PipelineSpec, part: str) -> set[str]:
    divisions = [spec.holdout.division]
    if spec.cross_validation is not None:
        divisions.append(spec.cross_validation.division)
    return {getattr(each, part) for each in divisions} - {""}
