"""Which rows are learned from and which are measured by: held out, in folds, in groups, or in the order of time."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from opsloop.training.errors import DataUnfit
from opsloop.training.pipeline import Division, PipelineSpec
from opsloop.training.table import Array, Table


@dataclass(frozen=True, eq=False)
class Fold:
    """Numbers of rows to learn from, and of those to measure by."""

    learn: Array
    measure: Array


def held_out(spec: PipelineSpec, table: Table) -> Fold:
    """The rows to learn from and those held out, each in the order of the table. Raises: DataUnfit."""
    rows = np.arange(table.rows)
    share, division = spec.holdout.share, spec.holdout.division
    if not share:
        return Fold(rows, rows[:0])
    field = spec.at("holdout.share")
    fewest = max(1, len(table.classes))
    count = max(fewest, round(share * table.rows))
    if table.rows - count < fewest:
        wanted = f"a share that leaves rows of every class on both sides; there are {table.rows} rows"
        raise DataUnfit(field=field, value=share, wanted=wanted)
    if division.time_ordered:
        order = in_time(table, division)
        found = Fold(np.sort(order[:-count]), np.sort(order[-count:]))
    else:
        found = _chosen_at_random(spec, table, count)
    return _with_all_classes(found, table, field, share)


def folds(table: Table, rows: Array, count: int, division: Division, *, seed: int, field: str) -> list[Fold]:
    """Divide some rows of a table into folds; numbers are those of the table. Raises: DataUnfit."""
    from sklearn import model_selection as divided

    available = len(np.unique(table.groups[division.by][rows])) if division.by else len(rows)
    if available < count + division.time_ordered:
        noun = f"different values of {division.by}" if division.by else "rows to learn from"
        raise DataUnfit(
            field=field, value=count, wanted=f"at most {max(0, available - division.time_ordered)}, the {noun}"
        )
    if division.time_ordered:
        order = in_time(table, division, rows)
        pairs = divided.TimeSeriesSplit(count).split(order)
        return [Fold(np.sort(order[learn]), np.sort(order[measure])) for learn, measure in pairs]
    y = table.y[rows]
    groups = table.groups[division.by][rows] if division.by else None
    if table.is_classification:
        _check_classes(y, count, field)
        kind = divided.StratifiedGroupKFold if division.by else divided.StratifiedKFold
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a class with fewer rows than folds, which `rare` tells
            pairs = list(kind(count, shuffle=True, random_state=seed).split(rows, y, groups))
    elif division.by:
        pairs = divided.GroupKFold(count, shuffle=True, random_state=seed).split(rows, y, groups)
    else:
        pairs = divided.KFold(count, shuffle=True, random_state=seed).split(rows)
    found = [Fold(rows[learn], rows[measure]) for learn, measure in pairs]
    if any(not len(fold.learn) or not len(fold.measure) for fold in found):
        wanted = f"fewer folds: the rows of {division.by} do not fill them all, as classes are to keep their shares"
        raise DataUnfit(field=field, value=count, wanted=wanted)
    return found


def rare(y: Array, count: int) -> list[str]:
    """A note when some class has fewer rows than there are folds, so that some folds do not measure it."""
    labels, counts = np.unique(y, return_counts=True)
    few = labels[counts < count]
    return [f"class {few[0].item()!r} has fewer rows than there are folds"] if len(few) else []


def in_time(table: Table, division: Division, rows: Array | None = None) -> Array:
    """Numbers of rows from the earliest to the latest; those of one time stay as they stand."""
    chosen = np.arange(table.rows) if rows is None else rows
    if not division.time_column:
        return chosen
    return chosen[np.argsort(table.times[division.time_column][chosen], kind="stable")]


def sample(table: Table, rows: Array, count: int, *, seed: int) -> Array:
    """Some of the rows, in their order, of a classification some of each class."""
    if count >= len(rows):
        return rows
    random = np.random.default_rng(seed)
    if not table.is_classification:
        return np.sort(random.choice(rows, count, replace=False))
    return np.sort(np.concatenate(_shares(table, rows, count, random)))


def _shares(table: Table, rows: Array, count: int, random: np.random.Generator) -> Sequence[Array]:
    """For each class its share of `count` rows, at least one."""
    found = []
    for label in np.unique(table.y[rows]):
        of_class = rows[table.y[rows] == label]
        size = min(len(of_class), max(1, round(count * len(of_class) / len(rows))))
        found.append(random.choice(of_class, size, replace=False))
    return found


def _chosen_at_random(spec: PipelineSpec, table: Table, count: int) -> Fold:
    random = np.random.default_rng(spec.seed)
    rows = np.arange(table.rows)
    division = spec.holdout.division
    if division.by:
        groups = table.groups[division.by]
        numbers = random.permutation(np.unique(groups))
        if len(numbers) < 2:
            wanted = "a column with at least two different values, one to learn from and one to measure by"
            raise DataUnfit(field=spec.at("holdout.by"), value=division.by, wanted=wanted)
        sizes = np.cumsum(np.bincount(groups)[numbers])
        taken = min(int(np.searchsorted(sizes, count)) + 1, len(numbers) - 1)
        is_held = np.isin(groups, numbers[:taken])
    elif table.is_classification:
        is_held = np.zeros(table.rows, dtype=bool)
        for label in np.unique(table.y):
            of_class = rows[table.y == label]
            size = min(len(of_class) - 1, max(1, round(len(of_class) * count / table.rows)))
            is_held[random.choice(of_class, size, replace=False)] = True
    else:
        is_held = np.zeros(table.rows, dtype=bool)
        is_held[random.choice(rows, count, replace=False)] = True
    return Fold(rows[~is_held], rows[is_held])


def _with_all_classes(found: Fold, table: Table, field: str, share: float) -> Fold:
    if table.is_classification and len(np.unique(table.y[found.learn])) < len(table.classes):
        missing = sorted(set(table.y.tolist()) - set(table.y[found.learn].tolist()))[0]
        wanted = f"a share that leaves every class among the rows to learn from; class {missing!r} is not"
        raise DataUnfit(field=field, value=share, wanted=wanted)
    return found


def _check_classes(y: Array, count: int, field: str) -> None:
    labels, counts = np.unique(y, return_counts=True)
    if counts.max() < count:
        wanted = f"at most {counts.max()}, the rows of the most frequent class"
        raise DataUnfit(field=field, value=count, wanted=wanted)
    if counts.min() < 2:
        wanted = f"at least two rows of class {labels[counts.argmin()].item()!r} to learn from"
        raise DataUnfit(field=field, value=count, wanted=wanted)
