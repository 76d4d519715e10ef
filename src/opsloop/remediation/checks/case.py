"""What a check is given, and what every check is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from opsloop.core.workspace import UnitOfWork
from opsloop.remediation.models import Finding


@dataclass(frozen=True, slots=True)
class Case:
    """A repair that acted. Args: incident: None of a rehearsal; endpoint: empty when it is about none."""

    incident: str | None
    endpoint: str
    acted_at: datetime
    least_requests: int


class Check(Protocol):
    def look(self, uow: UnitOfWork, case: Case) -> Finding | None:
        """What it finds now; None when it has nothing to say of such a case."""
