"""pytest: titles of failures, assertion lines, the short summary."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"^_{3,} (?:ERROR at \w+ of |ERROR collecting )?\S.* _{3,}$", 9.5),
    mark(r"^(?:FAILED|ERROR) \S+\.py(?:::|\b)", 10),
    mark(r"^\S+\.py(?:::\S.*)? (?:FAILED|ERROR)\b", 9.8),
    mark(r"^\[gw\d+\].* (?:FAILED|ERROR) \S+", 9.8),
    mark(r"^E   +\S*(?:Error|Exception|Failed|Warning)\b", 8.2),
    mark(r"^E   +\S", 6),
    mark(r"^INTERNALERROR> \S*Error", 9),
    mark(r"^(?:ImportError while loading conftest|ERROR: usage: |ERROR: file or directory not found)", 9),
)
