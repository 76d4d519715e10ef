"""Tensors of protobuf as those of JSON, and back: typed contents, or the raw bytes of all values."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from opsloop.core.errors import InvalidInput
from opsloop.server.inference.messages import message

_CONTENTS: Mapping[str, str] = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
_RAW: Mapping[str, str] = {
    "BOOL": "?",
    **{f"INT{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
}
_LENGTH = struct.Struct("<I")


def request_of(asked: Any) -> dict[str, Any]:
    """A ModelInferRequest as the body of `/v2/models/NAME/infer`. Raises: InvalidInput."""
    raw = asked.raw_input_contents
    if raw and len(raw) != len(asked.inputs):
        wanted = f"{len(asked.inputs)} pieces, one for each input"
        raise InvalidInput(f"raw_input_contents: {len(raw)} pieces; wanted {wanted}", field="raw_input_contents")
    inputs = []
    for at, tensor in enumerate(asked.inputs):
        values = _of_raw(at, tensor, raw[at]) if raw else _of_contents(at, tensor)
        inputs.append(
            {
                "name": tensor.name,
                "shape": list(tensor.shape),
                "datatype": tensor.datatype,
                "data": _finite(at, tensor.datatype, values),
            }
        )
    body: dict[str, Any] = {"inputs": inputs, "outputs": [{"name": each.name} for each in asked.outputs]}
    return {**body, "id": asked.id} if asked.id else body


def response_of(said: Mapping[str, Any], *, raw: bool) -> Any:
    """The body of an answer as a ModelInferResponse. Args: raw: whether values go as bytes, as they came."""
    made = message("ModelInferResponse")(
        model_name=said["model_name"], model_version=said["model_version"], id=said.get("id") or ""
    )
    for name, value in said.get("parameters", {}).items():
        if value is not None:
            setattr(made.parameters[name], _choice(value), value)
    for each in said["outputs"]:
        output = made.outputs.add(name=each["name"], datatype=each["datatype"], shape=each["shape"])
        data = each["data"]
        if raw:
            made.raw_output_contents.append(_raw_bytes(each["datatype"], data))
            continue
        if each["datatype"] == "BYTES":
            data = [str(value).encode() for value in data]
        getattr(output.contents, _CONTENTS[each["datatype"]]).extend(data)
    return made


def _of_contents(at: int, tensor: Any) -> list[Any]:
    field = _CONTENTS.get(tensor.datatype)
    if field is None:  # who reads the body refuses what is no datatype; FP16 has no contents of its own
        if tensor.datatype == "FP16":
            raise InvalidInput(field=f"inputs[{at}].datatype", value="FP16", wanted="raw_input_contents with it")
        return []
    for other, _ in tensor.contents.ListFields():
        if other.name != field:
            wanted = f"{field}, which {tensor.datatype} has"
            raise InvalidInput(field=f"inputs[{at}].contents", value=other.name, wanted=wanted)
    values = list(getattr(tensor.contents, field))
    return [_text(at, value) for value in values] if tensor.datatype == "BYTES" else values


def _of_raw(at: int, tensor: Any, data: bytes) -> list[Any]:
    if tensor.datatype == "BYTES":
        return [_text(at, piece) for piece in _pieces(at, data)]
    kind = _RAW.get(tensor.datatype)
    if kind is None:
        return []
    if len(data) % np.dtype(kind).itemsize:
        wanted = f"a multiple of {np.dtype(kind).itemsize}, the size of {tensor.datatype}"
        raise InvalidInput(
            f"raw_input_contents[{at}]: {len(data)} bytes; wanted {wanted}", field=f"raw_input_contents[{at}]"
        )
    return np.frombuffer(data, dtype=kind).tolist()  # type: ignore[no-any-return]


def _pieces(at: int, data: bytes) -> list[bytes]:
    """Texts, each behind its length in four bytes. Raises: InvalidInput."""
    found, place = [], 0
    while place < len(data):
        end = place + _LENGTH.size
        if end <= len(data):
            end += _LENGTH.unpack_from(data, place)[0]
        if end > len(data) or end < place + _LENGTH.size:
            wanted = "each text behind its length in four bytes, the lowest first"
            raise InvalidInput(
                f"raw_input_contents[{at}]: ends inside of a text; wanted {wanted}", field=f"raw_input_contents[{at}]"
            )
        found.append(data[place + _LENGTH.size : end])
        place = end
    return found


def _text(at: int, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise InvalidInput(field=f"inputs[{at}]", value=value, wanted="UTF-8 text") from None


def _finite(at: int, datatype: str, values: list[Any]) -> list[Any]:
    """The values as JSON has them: a number that is not there (NaN) is null. Raises: InvalidInput."""
    if not datatype.startswith("FP"):
        return values
    for index, value in enumerate(values):
        if math.isinf(value):
            raise InvalidInput(field=f"inputs[{at}].data[{index}]", value=value, wanted="a finite number")
    return [None if math.isnan(value) else value for value in values]


def _raw_bytes(datatype: str, data: Sequence[Any]) -> bytes:
    if datatype == "BYTES":
        texts = [str(value).encode() for value in data]
        return b"".join(_LENGTH.pack(len(text)) + text for text in texts)
    return np.asarray(data, dtype=_RAW[datatype]).tobytes()


def _choice(value: object) -> str:
    kinds = {bool: "bool_param", int: "int64_param", float: "double_param"}
    return kinds.get(type(value), "string_param")
