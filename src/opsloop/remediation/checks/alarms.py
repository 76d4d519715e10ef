"""Whether what serves now drifts or predicts worse than it should."""

from __future__ import annotations

from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.alarms import service as alarms
from opsloop.remediation.checks.case import Case
from opsloop.remediation.models import Finding

NAME = "alarms"


class AlarmsCheck:
    def look(self, uow: UnitOfWork, case: Case) -> Finding | None:
        if not case.endpoint:
            return None
        new = [each for each in alarms.unclosed(uow, case.endpoint) if each.opened_at > case.acted_at]
        return Finding(NAME, "worse", f"{new[0].kind.value} alarm after it: {new[0].sentence}") if new else None


CHECK = AlarmsCheck()
