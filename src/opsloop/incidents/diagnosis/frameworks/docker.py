"""Docker: the daemon's answer, the failing instruction."""

from __future__ import annotations

from opsloop.incidents.diagnosis.marks import mark

MARKS = (
    mark(r"^(?:docker: )?Error response from daemon: ", 9),
    mark(r"^ERROR: failed to (?:solve|build|push)", 5),
    mark(r"manifest unknown|pull access denied|toomanyrequests", 8.4),
    mark(r"^E: (?:Unable to locate|Package|Failed to fetch|Version)", 9),
    mark(r"^#\d+ ERROR: ", 4),
    mark(r"^COPY failed|failed to compute cache key", 8.8),
)
