"""Which checks there are; a new one is a file here and a line below."""

from __future__ import annotations

from opsloop.core.workspace import UnitOfWork
from opsloop.remediation.checks import alarms, requests, signals
from opsloop.remediation.checks.case import Case, Check
from opsloop.remediation.models import Finding

CHECKS: tuple[Check, ...] = (signals.CHECK, requests.CHECK, alarms.CHECK)


def look(uow: UnitOfWork, case: Case) -> tuple[Finding, ...]:
    """What all of them find now."""
    found = (each.look(uow, case) for each in CHECKS)
    return tuple(each for each in found if each is not None)
