"""What CI systems say of a workflow that they cannot run."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"\(Line: \d+, Col: \d+\): (?:Unexpected|Unrecognized|Required property|A sequence)", 9.6),
    mark(r"^\S+\.ya?ml:\d+:\d+: .{3,}\[(?:syntax-check|expression|action|job-needs|runner-label)\]$", 9.6),
    mark(r"strict decoding error: unknown field|ValidationError\([\w.\[\]]+\): unknown field", 9.2),
    mark(r"with working directory '[^']+'\. |Not found workingDirectory: ", 8.9),
    mark(r"^(?:\S+: line \d+: )?[A-Z][A-Z0-9_]{2,}: unbound variable$", 8.2),
    mark(r"No image label found to route agent pool|environment is unsupported, and has been removed", 9),
)
