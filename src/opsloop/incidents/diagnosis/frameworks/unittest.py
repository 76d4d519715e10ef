"""unittest and nose: a title per failing test."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"^(?:FAIL|ERROR): \S.*\(\S+\)", 10),
    mark(r"^(?:FAIL|ERROR): \S*[Tt]est\S*", 9.6),
    mark(r"^(?:FAIL|ERROR): (?!.*\bexit)\S+", 7),
    mark(r"^\S.*\(\S+\)(?: \[.*\])? \.{3} (?:FAIL|ERROR)$", 9.7),
    mark(r"^FAILED \((?:failures|errors)=", 3),
)
