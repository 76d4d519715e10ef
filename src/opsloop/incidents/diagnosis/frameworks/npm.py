"""npm, yarn, pnpm, TypeScript, ESLint and webpack."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"^npm (?:ERR!|error) (?:\w+ )?(?:ENOENT|EACCES|ENOSPC|E40\d|ERESOLVE|Missing script)", 8.6),
    mark(r"^npm (?:ERR!|error) (?:code E(?!LIFECYCLE)|notarget|404|missing|Could not resolve|network)", 8.5),
    mark(
        r"^npm (?:ERR!|error) (?:code ELIFECYCLE|errno|A complete log|This is probably|Exit status|Test failed|$)", 1.5
    ),
    mark(r"^npm (?:ERR!|error) \S", 2.5),
    mark(r"\S+\.[cm]?tsx?(?:\(\d+,\d+\)|:\d+:\d+)(?: -|:) error TS\d+", 9.6),
    mark(r"^\s+\d+:\d+\s+error\s+\S", 9),
    mark(r"^ERROR in \S|^Module not found: ", 8.5),
    mark(r"^(?:error|ERR_PNPM_\w+)\b ?(?!Command failed).{3,}", 6.5),
    mark(r"^Error: Cannot find module ", 8.8),
)
