"""What runners and their actions say themselves."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"^##\[error\](?:Error: )?(?!Process completed|The process '.*' failed)\S.{6,}", 8.4),
    mark(r"^##\[error\](?:Process completed|The process )", 0.5),
    mark(r"^##\[error\].{0,100}shutdown signal|^##\[error\].*has (?:timed out|exceeded)", 9),
    mark(r"^(?:::error\b[^:]*::)\S", 8.4),
    mark(r"^\[taskcluster:error\] (?!exit)\S", 6.5, last=True),
    mark(r"^\s*(?:(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) +- +)?(?:PID \d+ \| )?TEST-UNEXPECTED-\S+ \|", 9.8),
    mark(r"PROCESS-CRASH \|", 9.6),
    mark(r"^(?:\s*- )?(?:ERROR|CRITICAL) - +\S", 6.5),
    mark(r"^\s*(?:ERROR|CRITICAL|FATAL)\s+-\s+\S", 6.5),
    mark(r"^\s*Error \([A-Z][A-Z0-9_]+\) ", 8.8),
    mark(r"^>>> Lint for \S+", 9),
    mark(r"^\s*Command took >\d+min, returning 124", 8.8),
    mark(r"^\S.{0,60}\bFAIL: {2,}\S", 8.4),
    mark(r"^No output has been received in the last|^The job exceeded the maximum", 8.8),
    mark(r"^Build left local git repository checkout dirty", 8.8),
)
