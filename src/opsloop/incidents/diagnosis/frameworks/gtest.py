"""GoogleTest and CTest."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"^\[  FAILED  \] \S+\.\S+", 10),
    mark(r"^\S+\.(?:cc|cpp|cxx|h|hpp):\d+: Failure", 9),
    mark(r"^\s*\d+ - \S+ \((?:Failed|Timeout|SEGFAULT|Not Run|Subprocess aborted)\)", 9.6),
    mark(r"^ *\d+/\d+ Test +#\d+: .*\*\*\*(?:Failed|Exception|Timeout|Not Run)", 9.6),
)
