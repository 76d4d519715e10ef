"""What a prompt asks for in words: an object of a form it shows, or a number between two others."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from zlib import crc32

LOOKED_THROUGH_CHARS = 20_000
OBJECTS_TRIED = 500

_SCORE = re.compile(r"(?i)\b(?:scor|rat(?:e|ing)|grad|likert)")
# "an integer between 1 and 5", "on a scale of 1 (poor) to 5 (excellent)", "from 0 to 10"
_BOUNDS = re.compile(
    r"(?i)\b(?:between|from|range of|scale of|range from|scale from)\s+(?P<low>\d{1,4})(?:\s*\([^)\n]{0,80}\))?"
    r"\s+(?:and|to)\s+(?P<high>\d{1,4})\b"
)


def asks_for_json(texts: Sequence[str]) -> bool:
    return any("json" in text.lower() for text in texts)


def shown_object(texts: Sequence[str]) -> dict[str, object] | None:
    """The last JSON object with anything in it that stands in the texts."""
    text = "\n".join(texts)[-LOOKED_THROUGH_CHARS:]
    decoder = json.JSONDecoder()
    found, at = None, 0
    for _ in range(OBJECTS_TRIED):
        at = text.find("{", at)
        if at < 0:
            break
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
        else:
            found = value or found
    return found


def number_asked_for(texts: Sequence[str]) -> int | None:
    """A whole number within the bounds that the texts give for a score; texts of other words get other numbers."""
    text = "\n".join(texts)[-LOOKED_THROUGH_CHARS:]
    bounds = _BOUNDS.search(text)
    if bounds is None or not _SCORE.search(text):
        return None
    low, high = int(bounds["low"]), int(bounds["high"])
    return low + crc32(text.encode("utf-8", "replace")) % (high - low + 1) if low < high else None
