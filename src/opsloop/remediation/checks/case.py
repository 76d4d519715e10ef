"""What a check is given, and what every check is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from opsloop.core.workspace import UnitOfWork
from opsloop.remediation.models import Finding


@dataclass(frozen=True, slots=True)
class Case:
    """A repair that acted.

    Args:
        incident: None of a rehearsal.
        endpoint: empty when it is about none.
        acted_at: what is stamped later came after it.
        set_back_s: how far the clock was set back since; what is stamped earlier than `acted_at` by more came before.
    """

    incident: str | None
    endpoint: str
    acted_at: datetime
    least_requests: int
    set_back_s: float = 0.0

    @property
    def before(self) -> datetime:
        """What is stamped earlier came before it."""
        return self.acted_at - timedelta(seconds=self.set_back_s)


class Check(Protocol):
    def look(self, uow: UnitOfWork, case: Case) -> Finding | None:
        """What it finds now; None when it has nothing to say of such a case."""
