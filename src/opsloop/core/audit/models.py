"""What stands in the audit trail, and what a check of it found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One record. `hash` covers every other field; `previous` is the hash of the record before."""

    seq: int
    id: str
    at: str
    actor: str
    action: str
    target: str
    detail: dict[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of the whole trail found.

    `broken_at` names the first event (its number in the trail) that does not hold, `reason` says why.
    """

    ok: bool
    events: int
    checkpoints: int
    head: str
    broken_at: int | None = None
    broken_id: str | None = None
    reason: str | None = None
