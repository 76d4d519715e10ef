"""The alarms that set a renewal off end with it, when the model that raised them serves no more."""

from __future__ import annotations

from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring import closing
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import AlarmState, Outcome
from opsloop.releases.renewals import course
from opsloop.releases.renewals._tables import RenewalRow


def close(uow: UnitOfWork, row: RenewalRow) -> None:
    """Close those that nobody closed meanwhile, as whoever watches the release that was replaced may have done."""
    for each in row.alarms:
        try:
            alarm = alarms.get(uow, each)
        except NotFound:  # it was forgotten by whoever keeps them
            continue
        if alarm.state is not AlarmState.CLOSED:
            reason = f"{row.challenger} replaced {row.champion}, by renewal {row.id}"
            alarm = closing.end(uow, alarm, outcome=Outcome.REPLACED, reason=reason)
        course.tell(uow, row, "alarm_closed", alarm.reason or "", "alarm", each)
