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
from opsloop.models.signature import Field, Signature
from opsloop.models.values import SHOWN_NAMES, wanted_of


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


def _wanted_row(signature: Signature) -> str:
    return f"{_values(len(signature.inputs))}: {_columns(signature)}"


def _columns(signature: Signature) -> str:
    return _listed(signature.names)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(names[:SHOWN_NAMES]) + more


def _values(count: int) -> str:
    return f"{count} value" + ("" if count == 1 else "s")
