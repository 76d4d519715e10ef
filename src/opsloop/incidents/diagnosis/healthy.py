"""What a healthy run prints: a failing log's other lines are what is new in it."""

from __future__ import annotations

from collections.abc import Iterable

from opsloop.incidents.diagnosis.reading import clean, lines_of
from opsloop.incidents.logs.fingerprint import fingerprint

# Of a log with more forms of lines the rest is not learned; about 100 bytes a form.
FORMS = 1_000_000


def form_of(text: str) -> str:
    """A line's identity without what varies from run to run: numbers, hashes, ids, paths, instants."""
    return fingerprint(text)


def forms_of(blocks: Iterable[bytes]) -> frozenset[str]:
    found: set[str] = set()
    for _, line in lines_of(blocks):
        if len(found) >= FORMS:
            break
        found.add(form_of(clean(line)))
    return frozenset(found)
