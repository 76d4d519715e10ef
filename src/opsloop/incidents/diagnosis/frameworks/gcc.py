"""Compilers, linkers, make, CMake and ninja."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"==\d+== ?ERROR: \w+Sanitizer: |SUMMARY: \w+Sanitizer: ", 9.6),
    mark(r"^\S[^:]*:\d+(?::\d+)?: (?:fatal )?error: ", 9.6),
    mark(r"^\S[^(]*\(\d+(?:,\d+)*\)\s?: (?:fatal )?error ?[A-Z]*\d*:", 9.6),
    mark(r"undefined reference to |^(?:/\S+/)?ld(?:\.\w+)?: (?!warning)|cannot find -l", 8.8),
    mark(r"^CMake Error(?: at \S+)?", 8.8),
    mark(r"^FAILED: ", 8.6),
    mark(r"^ninja: (?:build stopped|error)", 3),
    mark(r"^g?make(?:\[\d+\])?: \*\*\* (?!.*(?:Error \d+|Waiting))", 8.5),
    mark(r"^g?make(?:\[\d+\])?: \*\*\* ", 2.5),
    mark(r"^configure: error: ", 9),
)
