"""Jest and Vitest: bullets before failing tests."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"^\s*● (?!Console|.*\bconsole\.)\S.*", 9.6),
    mark(r"^\s*[✕✗\u00d7] \S.*", 9.5),
    mark(r"^\s*FAIL\s+\S+\.(?:[cm]?[jt]sx?|vue)\b.* > ", 9.8),
    mark(r"^\s*FAIL\s+\S+\.(?:[cm]?[jt]sx?|vue)\b", 7.5),
)
