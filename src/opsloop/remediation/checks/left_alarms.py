"""Alarms that ended because their release was left: their signals are over, and nobody knows whether their cause is."""

from __future__ import annotations

from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.models import Signal
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import Alarm, Outcome


def left_alarm(uow: UnitOfWork, signal: Signal) -> Alarm | None:
    """The alarm that a signal tells of, when it ended because another release serves."""
    named = signal.subject.labels.get("alarm", "") if signal.kind == "drift" else ""
    if not named:
        return None
    try:
        found = alarms.get(uow, named)
    except NotFound:
        return None
    return found if found.outcome is Outcome.REPLACED else None
