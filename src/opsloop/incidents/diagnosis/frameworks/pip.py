"""pip, uv, poetry and tox."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(
        r"^\s*ERROR: (?:No matching distribution|Could not find a version|Failed building wheel|ResolutionImpossible)",
        9.2,
    ),
    mark(r"^\s*ERROR: (?:Cannot install|Package .* requires|Could not (?:build|install))", 8.6),
    mark(r"^\s*error: (?:subprocess-exited|metadata-generation|legacy-install|externally-managed)", 6),
    mark(r"^ERROR: InvocationError|^ERROR:\s+\S+: commands failed", 2.5),
    mark(r"^\s*\u00d7 No solution found", 9),
)
