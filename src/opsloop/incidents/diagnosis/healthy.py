"""What a healthy run prints: a failing log's other lines are what is new in it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from opsloop.incidents.diagnosis.reading import clean, lines_of

_VARYING = re.compile(r"\b0x[0-9a-fA-F]+\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{7,64}\b|\d+")
# Of a log with more forms of lines the rest is not learned; 8 bytes a form and the set's own cost.
FORMS = 1_000_000


def form_of(text: str) -> int:
    """A line's identity without what varies from run to run: numbers, hashes, ids."""
    return hash(_VARYING.sub("#", text))


def forms_of(blocks: Iterable[bytes]) -> frozenset[int]:
    found: set[int] = set()
    for _, line in lines_of(blocks):
        if len(found) >= FORMS:
            break
        found.add(form_of(clean(line)))
    return frozenset(found)
