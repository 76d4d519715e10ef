"""RPM and dnf."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"\bNo matching package to install: ", 9.6),
    mark(r"\bnothing provides (?:requested )?\S", 9.6),
    mark(r"^\s*Problem(?: \d+)?: ", 8),
    mark(r"^error: Bad exit status from ", 3),
    mark(r"^\s*(?:Installed \(but unpackaged\) file|File not found: )", 9.5),
    mark(r"^Error: *$", 1),
)
