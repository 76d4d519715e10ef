"""Gradle: failing tests, tasks and what went wrong."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"^\S.* > \S.* FAILED$", 10),
    mark(r"^\S*\.\S+ > .* FAILED", 10),
    mark(r"^> Task :\S+ FAILED", 5),
    mark(r"^Execution failed for task", 6.2),
    mark(r"^> (?:Could not (?:resolve|find|get|determine|create)|A problem occurred|Compilation failed)", 7.8),
    mark(r"^\S+\.(?:java|kt|kts|groovy|scala):\d+: (?:error|\[\w+\] )", 9),
    mark(r"^e: .*\.kts?:", 9),
    mark(r"^\* What went wrong:", 3),
    mark(r"^Gradle suite > .* FAILED", 9.6),
    mark(r"^(?:\w+\.)+\w+(?: > .*)? (?:FAILED|\[.*FAILED.*\])", 9.6),
)
