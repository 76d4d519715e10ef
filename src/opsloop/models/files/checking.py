"""The values of a row as a model takes them, or the sentence that says what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opsloop.core.errors import shown
from opsloop.models.files.rows import Row
from opsloop.models.signature import Field, FieldType, Signature
from opsloop.models.values import LARGEST, wanted_of

_TRUTH: Mapping[str, bool] = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True, slots=True)
class Checked:
    """Args:
    X: of the rows that are whole, in order.
    faults: of every row, None for those.
    """

    X: NDArray[Any]
    faults: list[str | None]


def checked(rows: Sequence[Row], signature: Signature, *, is_text: bool) -> Checked:
    """Args: is_text: whether numbers are read out of text."""
    found: list[list[Any]] = []
    faults: list[str | None] = []
    for row in rows:
        values, fault = _values(row, signature, is_text)
        faults.append(fault)
        if fault is None:
            found.append(values)
    dtype = np.float64 if signature.is_numeric else object
    X = np.array(found, dtype=dtype).reshape(len(found), len(signature.inputs))
    return Checked(X, faults)


def _values(row: Row, signature: Signature, is_text: bool) -> tuple[list[Any], str | None]:
    if row.fault is not None:
        return [], f"{row.place}: {row.fault}"
    values: list[Any] = []
    for field in signature.inputs:
        value = row.cells.get(field.name)
        if type(value) is float and field.type is FieldType.NUMBER and -LARGEST <= value <= LARGEST:
            values.append(value)
            continue
        read = _read(field, value) if is_text else value
        if isinstance(read, float) and math.isnan(read) and field.nullable:
            read = None
        wanted = wanted_of(field, read)
        if wanted is not None:
            said = "missing" if read is None else shown(value)
            return [], f"{row.place}: column {field.name!r} is {said}; wanted {wanted}"
        values.append(read if field.type is FieldType.TEXT else math.nan if read is None else float(read))
    return values, None


def _read(field: Field, cell: str | None) -> Any:
    """A cell's text as a value; the text itself where it is none."""
    if cell is None or cell == "":
        return None
    if field.type is FieldType.TEXT:
        return cell
    if field.type is FieldType.BOOLEAN:
        return _TRUTH.get(cell.strip().lower(), cell)
    try:
        return float(cell)
    except ValueError:
        return cell
