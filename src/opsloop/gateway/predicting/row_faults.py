"""What is wrong with rows: the first fault in a sentence that names the row, the column, the value, the wanted form.

Slow, and read only by requests that are refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import msgspec

from opsloop.core.errors import InvalidInput, shown
from opsloop.gateway.errors import TooManyRows
from opsloop.gateway.predicting.repeated_keys import Repeating, pairs
from opsloop.models.signature import Field, Signature
from opsloop.models.values import SHOWN_NAMES, wanted_of

_rows = msgspec.json.Decoder(list[msgspec.Raw])
# More digits than a finite number has.
_LONG = 400
_LITERALS: Mapping[Any, str] = {None: "null", True: "true", False: "false"}


class _Digits(str):
    """A whole number of so many digits that nobody needs its value."""

    def __repr__(self) -> str:
        return self[:_LONG]


def fault_of(text: bytes, signature: Signature, limit: int) -> InvalidInput | TooManyRows | None:
    """The first fault of rows that cannot be read; None where none is found.

    Args:
        limit: most rows; of more of them none is looked at.
    """
    if (count := _count(text)) > limit:
        return TooManyRows(rows=count, limit=limit)
    try:
        # Unlike msgspec this reads NaN and 1e999, and so can say where they stand.
        found = json.loads(text, parse_int=_whole, object_pairs_hook=pairs)
        if isinstance(found, list) and len(found) > limit:
            return TooManyRows(rows=len(found), limit=limit)
        for sentence in _faults(found, signature):
            return InvalidInput(sentence, field="inputs")
    except RecursionError:
        return InvalidInput("inputs: nested too deeply; wanted rows of values", field="inputs")
    except UnicodeDecodeError as error:
        byte = f"{text[error.start]:#04x}"
        return InvalidInput(f"inputs: byte {byte} is not UTF-8; wanted JSON in UTF-8", field="inputs")
    except ValueError as error:
        return InvalidInput(f"inputs: not valid JSON: {str(error)[:200]}", field="inputs")
    return None


def _count(text: bytes) -> int:
    """How many rows a list has; 0 where that is not to be had at once."""
    try:
        return len(_rows.decode(text))
    except (msgspec.DecodeError, ValueError, RecursionError):
        return 0


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONG + 1 else _Digits(digits)


def _faults(found: Any, signature: Signature) -> Iterator[str]:
    if isinstance(found, dict):
        yield from _faults_of_columns(found, signature)
        return
    if not isinstance(found, list):
        yield f"inputs: is {_said(found)}; wanted a list of rows, {_wanted_row(signature)}"
        return
    if not found:
        yield "inputs: is empty; wanted at least one row"
    for at, row in enumerate(found):
        yield from _faults_of_row(at, row, signature)
        if isinstance(row, dict) is not isinstance(found[0], dict):
            yield f"inputs: row {at} is {_form(row)}, row 0 {_form(found[0])}; wanted rows of one form"


def _faults_of_row(at: int, row: Any, signature: Signature) -> Iterator[str]:
    if isinstance(row, dict):
        yield from _names(f"row {at}", row, signature)
        for field in signature.inputs:
            yield from _faults_of_value(at, field, row[field.name])
        return
    if not isinstance(row, list):
        yield f"inputs: row {at} is {_said(row)}; wanted {_wanted_row(signature)}"
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
            yield f"inputs: column {field.name!r} is {_said(values)}; wanted a list with a value for each row"
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
    if isinstance(named, Repeating):
        yield f"{prefix}: column {shown(named.key)} comes twice; wanted it once"
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
        yield f"inputs: row {at}, column {field.name!r} is {_said(value)}; wanted {wanted}"


def _said(value: Any) -> str:
    """A value as a caller wrote it."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return _LITERALS[value] if value is None or isinstance(value, bool) else shown(value)


def _form(row: Any) -> str:
    return "an object" if isinstance(row, dict) else "a list"


def _wanted_row(signature: Signature) -> str:
    return f"{_values(len(signature.inputs))}: {_columns(signature)}"


def _columns(signature: Signature) -> str:
    return _listed(signature.names)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(names[:SHOWN_NAMES]) + more


def _values(count: int) -> str:
    return f"{count} value" + ("" if count == 1 else "s")
