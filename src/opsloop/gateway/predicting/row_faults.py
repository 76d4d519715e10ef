"""What is wrong with rows: the first fault in a sentence that names the row, the column, the value, the wanted form.

Slow, and read only by requests that are refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from opsloop.core.errors import InvalidInput, shown
from opsloop.models.signature import Field, FieldType, Signature

LARGEST = 3.4028234663852886e38
"""Larger numbers are infinite in a model's float32."""
LARGEST_WHOLE = 2**53
"""Larger whole numbers are not exact in float64."""
_SHOWN_NAMES = 12
_TYPES: Mapping[FieldType, str] = {
    FieldType.NUMBER: "a finite number",
    FieldType.INTEGER: "a whole number",
    FieldType.BOOLEAN: "true or false",
    FieldType.TEXT: "a string",
}


def fault_of(text: bytes, signature: Signature) -> InvalidInput:
    """The first fault of rows that cannot be read."""
    try:
        found = json.loads(text)  # unlike msgspec it reads NaN and 1e999, and so can say where they stand
    except RecursionError:
        return InvalidInput("inputs: nested too deeply; wanted rows of values", field="inputs")
    except ValueError as error:
        return InvalidInput(f"inputs: not valid JSON: {str(error)[:200]}", field="inputs")
    try:
        for sentence in _faults(found, signature):
            return InvalidInput(sentence, field="inputs")
    except RecursionError:
        return InvalidInput("inputs: nested too deeply; wanted rows of values", field="inputs")
    return InvalidInput("inputs: cannot be read; wanted rows of values", field="inputs")


def _faults(found: Any, signature: Signature) -> Iterator[str]:
    if isinstance(found, dict):
        yield from _faults_of_columns(found, signature)
        return
    if not isinstance(found, list):
        yield f"inputs: is {shown(found)}; wanted a list of rows, {_wanted_row(signature)}"
        return
    if not found:
        yield "inputs: is empty; wanted at least one row"
    for at, row in enumerate(found):
        yield from _faults_of_row(at, row, signature)


def _faults_of_row(at: int, row: Any, signature: Signature) -> Iterator[str]:
    if isinstance(row, dict):
        yield from _names(f"row {at}", row, signature)
        for field in signature.inputs:
            yield from _faults_of_value(at, field, row[field.name])
        return
    if not isinstance(row, list):
        yield f"inputs: row {at} is {shown(row)}; wanted {_wanted_row(signature)}"
        return
    if len(row) != len(signature.inputs):
        yield f"inputs: row {at} has {_values(len(row))}; wanted {_wanted_row(signature)}"
        return
    for field, value in zip(signature.inputs, row, strict=True):
        yield from _faults_of_value(at, field, value)


def _faults_of_columns(columns: Mapping[str, Any], signature: Signature) -> Iterator[str]:
    yield from _names("inputs", columns, signature)
    lengths = {}
    for field in signature.inputs:
        values = columns[field.name]
        if not isinstance(values, list):
            yield f"inputs: column {field.name!r} is {shown(values)}; wanted a list with a value for each row"
            return
        lengths[field.name] = len(values)
        for at, value in enumerate(values):
            yield from _faults_of_value(at, field, value)
    name, length = next(iter(lengths.items()))
    for other, its in lengths.items():
        if its != length:
            yield f"inputs: column {other!r} has {_values(its)}, column {name!r} {length}; wanted as many in each"
    if not length:
        yield "inputs: is empty; wanted at least one row"


def _names(where: str, named: Mapping[str, Any], signature: Signature) -> Iterator[str]:
    prefix = where if where == "inputs" else f"inputs: {where}"
    for name in signature.names:
        if name not in named:
            yield f"{prefix}: column {name!r} is missing; wanted {_columns(signature)}"
    for name in named:
        if name not in signature.names:
            near = get_close_matches(name, signature.names, n=1)
            meant = f" (did you mean {near[0]!r}?)" if near else ""
            yield f"{prefix}: column {shown(name)} is not one of the model's{meant}; wanted {_columns(signature)}"


def _faults_of_value(at: int, field: Field, value: Any) -> Iterator[str]:
    wanted = wanted_of(field, value)
    if wanted is not None:
        said = "NaN" if isinstance(value, float) and math.isnan(value) else shown(value)
        yield f"inputs: row {at}, column {field.name!r} is {said}; wanted {wanted}"


def wanted_of(field: Field, value: Any) -> str | None:
    """The form that a value does not have, or None when it has it."""
    form = _TYPES[field.type] + (" or null" if field.nullable else "")
    if value is None:
        return None if field.nullable else form
    match field.type:
        case FieldType.TEXT:
            return _wanted_text(field, value, form)
        case FieldType.BOOLEAN:
            return None if isinstance(value, bool) or (_is_number(value) and value in (0, 1)) else form
        case FieldType.INTEGER:
            return _wanted_whole(value, form)
        case _:
            if not _is_number(value) or not math.isfinite(_as_float(value)):
                return form
            return None if abs(value) <= LARGEST else f"a number between -{LARGEST:.2g} and {LARGEST:.2g}"


def _wanted_text(field: Field, value: Any, form: str) -> str | None:
    if not isinstance(value, str):
        return form
    if not field.categories or value in field.categories:
        return None
    listed = ", ".join(repr(each) for each in field.categories[:_SHOWN_NAMES])
    more = f" and {len(field.categories) - _SHOWN_NAMES} more" if len(field.categories) > _SHOWN_NAMES else ""
    return f"one of {listed}{more}"


def _wanted_whole(value: Any, form: str) -> str | None:
    if not _is_number(value) or not math.isfinite(_as_float(value)) or value != math.floor(value):
        return form
    return None if abs(value) <= LARGEST_WHOLE else f"a whole number between -{LARGEST_WHOLE} and {LARGEST_WHOLE}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _wanted_row(signature: Signature) -> str:
    return f"{_values(len(signature.inputs))}: {_columns(signature)}"


def _columns(signature: Signature) -> str:
    return _listed(signature.names)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(names[:_SHOWN_NAMES]) + more


def _values(count: int) -> str:
    return f"{count} value" + ("" if count == 1 else "s")
