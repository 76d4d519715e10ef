"""Go: failing tests, panics, compile errors."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"^\s*--- FAIL: \S+", 10),
    mark(r"^panic: ", 9.2),
    mark(r"^(?:\./)?\S+\.go:\d+:\d+: ", 8.8),
    mark(r"^\s+\S+_test\.go:\d+: ", 8.2),
    mark(r"^go: .*(?:errors?|unknown revision|not found|missing|requires go|cannot find)", 8.5),
    mark(r"^WARNING: DATA RACE", 9),
    mark(r"^FAIL\s+\S+", 6),
)
