"""Whether the signals of the incident are over, and whether others came."""

from __future__ import annotations

from datetime import timedelta

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import service as incidents
from opsloop.incidents.models import Signal
from opsloop.remediation.checks.case import Case
from opsloop.remediation.checks.left_alarms import left_alarm
from opsloop.remediation.models import Finding

NAME = "signals"
ENDING = ("alert", "drift", "metric", "log")
"""Kinds of signals that end when their cause does; the others tell of something that happened once."""
LATE = timedelta(seconds=60)
"""Alerts look back over minutes: one that begins in this time after the action may still be about what was before."""


class SignalsCheck:
    def look(self, uow: UnitOfWork, case: Case) -> Finding | None:
        if case.incident is None:
            return None
        before = [each for each in incidents.signals_of(uow, case.incident) if _went_on(each, case)]
        if new := _new(uow, case, {each.fingerprint for each in before}):
            return Finding(NAME, "worse", f"{new.name} began after it: {new.text}")
        # A drift alarm ends with the release that is left: that proves nothing, see the check of alarms.
        before = [each for each in before if left_alarm(uow, each) is None]
        if not before:
            return None
        still = [each.name for each in before if each.ended_at is None]
        if still:
            return Finding(NAME, "unclear", f"{len(still)} of {len(before)} signals go on: {', '.join(still[:3])}")
        return Finding(NAME, "better", f"all {len(before)} signals that went on before it are over")


def _went_on(signal: Signal, case: Case) -> bool:
    is_before = signal.started_at <= case.acted_at
    return signal.kind in ENDING and is_before and (signal.ended_at is None or signal.ended_at >= case.acted_at)


def _new(uow: UnitOfWork, case: Case, known: set[str]) -> Signal | None:
    """A signal of the same endpoint that began after the action and goes on."""
    if not case.endpoint:
        return None
    for incident in incidents.list_incidents(uow, endpoint=case.endpoint, going_on=True, limit=20):
        for each in incidents.signals_of(uow, incident.id):
            is_ours = each.subject.endpoint == case.endpoint and each.kind in ENDING and each.severity != "info"
            is_new = each.started_at > case.acted_at + LATE and each.ended_at is None and each.fingerprint not in known
            if is_ours and is_new:
                return each
    return None


CHECK = SignalsCheck()
