"""Cargo and rustc."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"^error\[E\d{4}\]: ", 9.6),
    mark(r"^test \S.* \.\.\. FAILED$", 10),
    mark(r"^---- \S+ stdout ----", 9),
    mark(r"^thread '.*' (?:\(\d+\) )?panicked at", 8.8),
    mark(r"^error: (?!could not compile|aborting due|test failed|process didn't|build failed)\S", 7),
    mark(r"^error: (?:could not compile|aborting due|test failed)", 4),
)
