"""A key that an object has twice: readers of JSON keep one of its values and say nothing of the other."""

from __future__ import annotations

import json
from typing import Any


class Repeating(dict[str, Any]):
    """An object that had a key twice. `key`: the first such."""

    key = ""


def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
    """For `json.loads(text, object_pairs_hook=pairs)`."""
    made = dict(found)
    if len(made) == len(found):
        return made
    seen: set[str] = set()
    repeating = Repeating(made)
    repeating.key = next(key for key, _ in found if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return repeating


def has_repeated_key(text: bytes) -> bool:
    """Whether some object of a JSON text has. Slow: ask only where there is reason to."""
    return repeated_key(text) is not None


def repeated_key(text: bytes) -> str | None:
    """The key that some object of a JSON text has twice; None for what is no JSON."""
    keys: list[str] = []

    def note(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = pairs(found)
        if isinstance(made, Repeating):
            keys.append(made.key)
        return made

    try:
        json.loads(text, object_pairs_hook=note)
    except (ValueError, RecursionError):
        return None
    return keys[0] if keys else None
