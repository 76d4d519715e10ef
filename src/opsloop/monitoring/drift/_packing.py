"""Arrays and facts as bytes, with a mark of what they are and of which version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

FORMAT = 3
"""To be raised with every change of what is packed, and of the bets: evidence of other bets is none of these."""


def packed(noun: str, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """Bytes that `unpacked` reads."""
    found = {
        name: (array.dtype.str, array.shape, np.ascontiguousarray(array).tobytes()) for name, array in arrays.items()
    }
    return msgspec.msgpack.encode({"noun": noun, "format": FORMAT, "facts": facts, "arrays": found})


def unpacked(noun: str, data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """The facts and arrays. Raises: ValueError when they are something else, or of another version."""
    try:
        found = msgspec.msgpack.decode(data)
        is_ours = found["noun"] == noun and found["format"] == FORMAT
        arrays = {
            name: np.frombuffer(values, dtype=np.dtype(kind)).reshape(shape).copy()
            for name, (kind, shape, values) in found["arrays"].items()
        }
        facts = dict(found["facts"])
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"these bytes are no {noun} of this version") from error
    if not is_ours:
        raise ValueError(f"these bytes are no {noun} of this version")
    return facts, arrays
