"""`collections:` in `opsloop.yaml`: documents, and how they are cut, searched, closed and kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.rag import access
from opsloop.rag.settings import EMBEDDER, STORE
from opsloop.rag.text.chunk import CHUNKINGS

DAYS = range(1, 36_501)
SHARES = ("vector_weight", "min_support")
NAMES = ("readers", "writers")
KEYS = ("source", "chunking", "embedder", "store", *SHARES, *NAMES, "retention_days")


@dataclass(frozen=True, slots=True)
class CollectionWanted:
    """A collection of documents: `source` is a file of passages (JSON lines), a document, or a folder of documents.

    Attributes:
        declared: values by the name of the collection's attribute; what is not among them is left as it is. None
            stands for the usual: open to whoever has the role, kept for ever.
    """

    name: str
    source: Path
    declared: Mapping[str, Any] = field(default_factory=dict)


def checked(name: str, source: Path, values: Mapping[str, Any]) -> CollectionWanted:
    """A collection whose declaration is right. Raises: InvalidInput naming the key."""
    return CollectionWanted(
        name, source, {key: _checked(key, value) for key, value in values.items() if key in KEYS[1:]}
    )


def _checked(key: str, value: Any) -> Any:
    if key == "chunking":
        return _one(key, value, isinstance(value, str) and value in CHUNKINGS, f"one of {', '.join(CHUNKINGS)}")
    if key == "embedder":
        known = isinstance(value, str) and re.fullmatch(EMBEDDER, value) is not None
        return _one(key, value, known, "lsa, onnx:FOLDER or openai:MODEL")
    if key == "store":
        return _one(
            key,
            value,
            isinstance(value, str) and re.fullmatch(STORE, value) is not None,
            STORE.strip("^()$").replace("|", " or "),
        )
    if value is None:
        return None
    if key in SHARES:
        is_share = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
        return float(_one(key, value, is_share, "a number from 0 to 1"))
    if key in NAMES:
        are_names = isinstance(value, list) and all(isinstance(each, str) for each in value)
        return tuple(access.checked(key, _one(key, value, are_names, "a list such as [key:ci, role:operator]")) or ())
    are_days = isinstance(value, int) and not isinstance(value, bool) and value in DAYS
    return _one(key, value, are_days, f"a whole number of days from {DAYS[0]} to {DAYS[-1]:,}")


def _one(key: str, value: Any, is_right: bool, wanted: str) -> Any:
    if not is_right:
        raise InvalidInput(field=key, value=value, wanted=wanted)
    return value
