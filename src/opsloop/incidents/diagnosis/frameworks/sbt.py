"""sbt and ScalaTest."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"\[error\] +Test \S+ failed", 9.9),
    mark(r"^\[(?:info|error)\].*\*\*\* FAILED \*\*\*", 9.8),
    mark(r"^\[error\] \S+\.scala:\d+", 9.2),
    mark(r"^\[error\] (?:Failed tests|Error during tests):", 5),
    mark(r"^\[error\] \S", 4),
)
