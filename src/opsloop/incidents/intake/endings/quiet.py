"""What happened once is over when it was not told again for a while: the settings say how long."""

from __future__ import annotations

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.intake.ending import Ending
from opsloop.incidents.models import Signal
from opsloop.incidents.settings import IncidentSettings


def _why(uow: UnitOfWork, signal: Signal) -> str | None:
    quiet_s = uow.workspace.section(IncidentSettings).incident_quiet_s
    # A clock that was set back does not end it early.
    if (uow.clock.now() - signal.seen_at).total_seconds() < quiet_s:
        return None
    return f"it was not told again for {quiet_s / 60:.0f} minutes"


ENDING = Ending(("job", "rollout", "ci", "metric", "log"), _why)
