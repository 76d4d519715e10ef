"""An ONNX file that may come from anywhere, looked at before ONNX Runtime reads it.

Weights may lie in other files, which a model names by their paths: ONNX Runtime would open them. The messages of
onnx.proto are walked here for such names, for a process that serves has no library for ONNX but the runtime.
"""

from __future__ import annotations

from collections.abc import Iterator

from opsloop.models.errors import ModelFileBroken

MODEL = "model.onnx"
MOST_BYTES = 1_000_000_000
_DEEPEST = 40
_TENSOR = "tensor"
# Fields of the messages that hold tensors, by number (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
_WITHIN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: _TENSOR, 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: _TENSOR, 6: "graph", 10: _TENSOR, 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: _TENSOR, 2: _TENSOR},
    _TENSOR: {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def check(data: bytes) -> None:
    """Raises: ModelFileBroken for a file that is far too large, or names other files."""
    if len(data) > MOST_BYTES:
        reason = f"it has {len(data):,} bytes; wanted at most {MOST_BYTES:,}"
        raise ModelFileBroken(file=MODEL, reason=reason)
    if b"location" not in data:  # the key under which another file is named
        return
    try:
        names_others = _names_others(memoryview(data), "model", 0)
    except (IndexError, ValueError):
        raise ModelFileBroken(file=MODEL, reason="it is no ONNX file") from None
    if names_others:
        reason = "it keeps weights in other files; wanted one file: onnx.save(model, path) without external data"
        raise ModelFileBroken(file=MODEL, reason=reason)


def _names_others(data: memoryview, message: str, depth: int) -> bool:
    if depth > _DEEPEST:
        raise ValueError
    for number, value in _fields(data):
        if message == _TENSOR and (number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value)):
            return True
        within = _WITHIN[message].get(number)
        if within is not None and isinstance(value, memoryview) and _names_others(value, within, depth + 1):
            return True
    return False


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """(number, value) of a message; of numbers with fixed width the value is 0. Raises: IndexError, ValueError."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        value: memoryview | int = 0
        if kind == _VARINT:
            value, at = _varint(data, at)
        elif kind == _BYTES:
            length, at = _varint(data, at)
            value = data[at : at + length]
            if len(value) < length:
                raise ValueError
            at += length
        elif kind in (_FIXED32, _FIXED64):
            at += 4 if kind == _FIXED32 else 8
        else:
            raise ValueError
        yield tag >> 3, value


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError
