"""Tensors of the Open Inference Protocol: rows of a model out of them, and answers into them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from opsloop.core.errors import InvalidInput, shown
from opsloop.gateway.errors import TooManyRows
from opsloop.gateway.predicting.exchange import ModelAnswer
from opsloop.models.signature import Field, FieldType, Signature, Task

INPUTS, PREDICTIONS, PROBABILITIES = "inputs", "predictions", "probabilities"
_WHOLE: Mapping[str, tuple[int, int]] = {
    **{f"INT{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}
_LARGEST_SIZE = 2**63 - 1
_FLOATS = ("FP16", "FP32", "FP64")
DATATYPES = (*_FLOATS, *_WHOLE, "BOOL", "BYTES")
_OF_FIELD = {
    FieldType.NUMBER: "FP64",
    FieldType.INTEGER: "INT64",
    FieldType.BOOLEAN: "BOOL",
    FieldType.TEXT: "BYTES",
}


class Tensor(msgspec.Struct):
    """As a request has it; `data` flat in row-major order, or nested."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]
    parameters: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """A tensor that a model takes or gives; -1 stands for the number of rows."""

    name: str
    datatype: str
    shape: list[int]


def taken(signature: Signature) -> list[Described]:
    """One matrix where all columns are numbers; else a tensor for each column."""
    if signature.is_numeric:
        return [Described(INPUTS, "FP64", [-1, len(signature.inputs)])]
    return [Described(field.name, _OF_FIELD[field.type], [-1, 1]) for field in signature.inputs]


def given(signature: Signature) -> list[Described]:
    found = [Described(PREDICTIONS, _datatype_of_output(signature), [-1])]
    if signature.output.task is Task.CLASSIFICATION:
        found.append(Described(PROBABILITIES, "FP64", [-1, len(signature.output.classes)]))
    return found


def rows_of(tensors: Sequence[Tensor], signature: Signature, limit: int) -> list[list[Any]]:
    """The rows that one matrix holds, or a tensor for each column.

    Args:
        limit: most rows.
    Raises: InvalidInput, TooManyRows.
    """
    for at, tensor in enumerate(tensors):
        _check_shape(f"inputs[{at}].shape", tensor.shape, limit)
    width = len(signature.inputs)
    if len(tensors) == 1 and (width > 1 or tensors[0].name != signature.names[0]):
        tensor = tensors[0]
        if len(tensor.shape) != 2 or tensor.shape[1] != width:
            wanted = f"[rows, {width}]: {', '.join(signature.names)}"
            raise InvalidInput(field=f"inputs[0].shape of {tensor.name!r}", value=tensor.shape, wanted=wanted)
        values = _values(0, tensor)
        return [values[at : at + width] for at in range(0, len(values), width)]
    return _rows_of_columns(tensors, signature)


def _rows_of_columns(tensors: Sequence[Tensor], signature: Signature) -> list[list[Any]]:
    named = {tensor.name: (at, tensor) for at, tensor in enumerate(tensors)}
    for at, tensor in enumerate(tensors):
        if named[tensor.name][0] != at:
            raise InvalidInput(f"inputs: tensor {shown(tensor.name)} comes twice; wanted it once", field="inputs")
    columns = []
    for field in signature.inputs:
        if field.name not in named:
            raise InvalidInput(
                f"inputs: tensor {field.name!r} is missing; wanted {', '.join(signature.names)}, or one matrix",
                field="inputs",
            )
        columns.append(_column(*named.pop(field.name), field))
    if named:
        raise InvalidInput(
            f"inputs: tensor {shown(next(iter(named)))} is not one of the model's; wanted {', '.join(signature.names)}",
            field="inputs",
        )
    if len({len(column) for column in columns}) > 1:
        raise InvalidInput("inputs: tensors of different numbers of rows; wanted as many in each", field="inputs")
    return [list(row) for row in zip(*columns, strict=True)]


def _column(at: int, tensor: Tensor, field: Field) -> list[Any]:
    if len(tensor.shape) not in (1, 2) or (len(tensor.shape) == 2 and tensor.shape[1] != 1):
        raise InvalidInput(field=f"inputs[{at}].shape of {tensor.name!r}", value=tensor.shape, wanted="[rows, 1]")
    values = _values(at, tensor)
    if field.type is FieldType.BOOLEAN and tensor.datatype != "BOOL":
        return [bool(value) if value in (0, 1) else value for value in values]
    return values


def _values(at: int, tensor: Tensor) -> list[Any]:
    """Every value of a tensor, in row-major order. Raises: InvalidInput."""
    where = f"inputs[{at}]"
    if tensor.datatype not in DATATYPES:
        raise InvalidInput(field=f"{where}.datatype", value=tensor.datatype, wanted=f"one of {', '.join(DATATYPES)}")
    values = _flat(f"{where}.data", tensor)
    if len(values) != math.prod(tensor.shape):
        wanted = f"{math.prod(tensor.shape)} values, as its shape {tensor.shape} says"
        raise InvalidInput(f"{where}.data: {len(values)} values; wanted {wanted}", field=f"{where}.data")
    for index, value in enumerate(values):
        if (wanted_form := _wanted(tensor.datatype, value)) is not None:
            raise InvalidInput(field=f"{where}.data[{index}]", value=value, wanted=wanted_form)
    return values


def _check_shape(field: str, shape: list[int], limit: int) -> None:
    """Before values are looked at, of which there may be millions. Raises: InvalidInput, TooManyRows."""
    if any(not 0 <= size <= _LARGEST_SIZE for size in shape):
        raise InvalidInput(field=field, value=shape, wanted="sizes of at least 0, as 64 bits hold")
    if shape and shape[0] > limit:
        raise TooManyRows(rows=shape[0], limit=limit)


def _flat(field: str, tensor: Tensor) -> list[Any]:
    """Values as they are, or out of lists within lists as the shape says. Raises: InvalidInput."""
    data = tensor.data
    if not any(isinstance(each, list) for each in data):
        return data
    for size in tensor.shape[1:]:
        if not all(isinstance(each, list) and len(each) == size for each in data):
            wanted = f"a list of values, or lists within lists as its shape {tensor.shape} says"
            raise InvalidInput(f"{field}: is nested otherwise; wanted {wanted}", field=field)
        data = [value for each in data for value in each]
    return data


def _wanted(datatype: str, value: Any) -> str | None:
    """The form that a value of a datatype does not have; null is for the model's signature to judge."""
    if value is None:
        return None
    if datatype == "BYTES":
        return None if isinstance(value, str) else "a string"
    if datatype == "BOOL":
        return None if isinstance(value, bool) else "true or false"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "a number"
    if datatype in _FLOATS:
        return None
    low, high = _WHOLE[datatype]
    fits = isinstance(value, int) and low <= value <= high
    return None if fits else f"a whole number from {low} to {high}"


def _datatype_of_output(signature: Signature) -> str:
    if signature.output.task is Task.REGRESSION:
        return "FP64"
    first = signature.output.classes[0]
    return "BOOL" if isinstance(first, bool) else "INT64" if isinstance(first, int) else "BYTES"


def outputs_of(answer: ModelAnswer, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """The tensors of an answer; all that there are when none is named. Raises: InvalidInput."""
    signature = answer.predictor.signature
    known = [each.name for each in given(signature)]
    for name in wanted:
        if name not in known:
            raise InvalidInput(field="outputs", value=name, wanted=f"one of {', '.join(known)}")
    found = answer.predicted.predictions
    rows = len(answer.predicted.table.X)
    outputs: list[dict[str, Any]] = []
    for each in given(signature):
        if wanted and each.name not in wanted:
            continue
        if each.name == PREDICTIONS:
            data: Any = msgspec.Raw(answer.predicted.values)
            outputs.append({"name": each.name, "datatype": each.datatype, "shape": [rows], "data": data})
        elif found is not None and found.scores is not None:
            data = found.scores.reshape(-1).tolist()
            outputs.append({"name": each.name, "datatype": each.datatype, "shape": [rows, each.shape[1]], "data": data})
    return outputs
