"""Reading stored numbers back."""

from __future__ import annotations

import math
from collections.abc import Mapping

from opsloop.core.errors import InvalidInput


def number(state: Mapping[str, float], key: str) -> float:
    """A finite number of a stored state; InvalidInput names the key."""
    value = state.get(key)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidInput(field=f"analysis state.{key}", value=value, wanted="a finite number")
    return float(value)
