"""Whether what serves now drifts or predicts worse than it should, as what served before did.

An alarm of a release that was left ends because nobody asks that release any more. That proves nothing; what serves
now has to stay free of an alarm for as many rows as such a change is seen in.
"""

from __future__ import annotations

import math

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import service as incidents
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import Alarm
from opsloop.monitoring.predictions import service as predictions
from opsloop.releases import service as releases
from opsloop.remediation.checks.case import Case
from opsloop.remediation.checks.left_alarms import left_alarm
from opsloop.remediation.models import Finding

NAME = "alarms"


class AlarmsCheck:
    def look(self, uow: UnitOfWork, case: Case) -> Finding | None:
        if not case.endpoint:
            return None
        new = [each for each in alarms.unclosed(uow, case.endpoint) if each.opened_at > case.acted_at]
        if new:
            return Finding(NAME, "worse", f"{new[0].kind.value} alarm after it: {new[0].sentence}")
        left = _left(uow, case)
        return _quiet(uow, case, left) if left else None


def _left(uow: UnitOfWork, case: Case) -> list[Alarm]:
    """Alarms of the incident that ended because their release was left."""
    if case.incident is None:
        return []
    signals = incidents.signals_of(uow, case.incident)
    found = [alarm for each in signals if (alarm := left_alarm(uow, each)) is not None]
    return [each for each in found if each.endpoint == case.endpoint and each.opened_at <= case.acted_at]


def _quiet(uow: UnitOfWork, case: Case, left: list[Alarm]) -> Finding:
    stable = releases.endpoint(uow, case.endpoint).stable
    if stable is None:
        return Finding(NAME, "unclear", "no release serves")
    delays = [math.ceil(each.expected_delay_rows) for each in left if each.expected_delay_rows is not None]
    needed = max([case.least_requests, *delays])
    rows = predictions.count_rows(uow, case.endpoint, release=stable.id, since=case.acted_at)
    if rows < needed:
        return Finding(NAME, "few", f"{rows} rows without an alarm since; {needed} are needed to tell")
    said = f"release {stable.number} answered {rows} rows since without an alarm; {needed} are enough to see one"
    return Finding(NAME, "better", said)


CHECK = AlarmsCheck()
