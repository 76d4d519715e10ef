"""What is to be predicted: labels of classes, or numbers."""

from __future__ import annotations

import numpy as np

from opsloop.datasets.models import ColumnType
from opsloop.training.errors import DataUnfit
from opsloop.training.pipeline import PipelineSpec
from opsloop.training.table import LARGEST, Array, ColumnData

FEW = 20
"""Most different whole numbers that are taken for classes when the pipeline does not say."""
MOST_CLASSES = 1_000


def task_of(column: ColumnData) -> str:
    """Text and booleans are classes; so are few whole numbers, each of which stands in many rows."""
    if column.type in (ColumnType.TEXT, ColumnType.BOOLEAN):
        return "classification"
    if column.type is ColumnType.INTEGER:
        distinct = len(np.unique(column.values))
        if distinct <= min(FEW, max(2, len(column.values) // 10)):
            return "classification"
    return "regression"


def labels_of(spec: PipelineSpec, column: ColumnData) -> tuple[Array, tuple[str | int | bool, ...]]:
    """The labels and their classes. Raises: DataUnfit."""
    field = f"{spec.at('target')}: column {spec.target}"
    y: Array
    if column.type is ColumnType.TEXT:
        y = column.values.astype(str)
    elif column.type is ColumnType.JSON or not np.array_equal(column.values, np.round(column.values)):
        value = column.values[0]
        raise DataUnfit(field=field, value=value, wanted="text, booleans or whole numbers, to be classes")
    else:
        y = column.values.astype(np.bool_ if column.type is ColumnType.BOOLEAN else np.int64)
    distinct, counts = np.unique(y, return_counts=True)
    if len(distinct) < 2:
        raise DataUnfit(field=field, value=distinct[0].item(), wanted="at least two classes; all rows are of this one")
    if len(distinct) > MOST_CLASSES:
        wanted = (
            f"at most {MOST_CLASSES} classes; there are {len(distinct)}: is it an id, or is task: regression meant?"
        )
        raise DataUnfit(field=field, wanted=wanted)
    rare = distinct[counts < 2]
    if len(rare):
        wanted = "at least two rows of every class, one to learn from and one to measure by"
        raise DataUnfit(field=field, value=rare[0].item(), wanted=wanted)
    return y, tuple(each.item() for each in distinct)


def numbers_of(spec: PipelineSpec, column: ColumnData) -> tuple[Array, tuple[str | int | bool, ...]]:
    """Raises: DataUnfit."""
    field = f"{spec.at('target')}: column {spec.target}"
    if column.type not in (ColumnType.NUMBER, ColumnType.INTEGER, ColumnType.BOOLEAN):
        raise DataUnfit(field=field, value=column.values[0], wanted="numbers, to be predicted by regression")
    if not np.abs(column.values).max() <= LARGEST:
        raise DataUnfit(field=field, value=float(np.abs(column.values).max()), wanted=f"numbers within ±{LARGEST:g}")
    if column.values.min() == column.values.max():
        raise DataUnfit(
            field=field, value=float(column.values[0]), wanted="numbers that differ; all rows have this one"
        )
    least = {"log": 0.0, "log1p": -1.0}.get(spec.target_transform)
    if least is not None and column.values.min() <= least:
        wanted = f"numbers above {least:g}, as target_transform is {spec.target_transform}"
        raise DataUnfit(field=field, value=float(column.values.min()), wanted=wanted)
    return column.values, ()
