"""The exit code of each kind of error, the same for every command."""

from __future__ import annotations

from opsloop.core.errors import Kind

DONE = 0
FAILED = 1
USAGE = 2
INTERRUPTED = 130
CODES = {
    Kind.FAILED: FAILED,
    Kind.TIMED_OUT: FAILED,
    Kind.LIMITED: FAILED,
    Kind.INVALID: USAGE,
    Kind.TOO_LARGE: USAGE,
    Kind.MISSING: 3,
    Kind.DENIED: 4,
    Kind.ANONYMOUS: 4,
    Kind.CONFLICT: 5,
    Kind.NO: 6,
    Kind.UNAVAILABLE: 7,
    Kind.PENDING: 8,
}
