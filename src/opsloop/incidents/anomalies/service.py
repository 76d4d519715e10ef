"""Read the anomalies that were found."""

from __future__ import annotations

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.anomalies import sources
from opsloop.incidents.anomalies._tables import AnomalyRow, WatchRow
from opsloop.incidents.anomalies.models import Anomaly
from opsloop.incidents.learning.models import MetricWatch
from opsloop.monitoring.instants import instant_of

MAX_LIMIT = 1_000


def watches(uow: UnitOfWork) -> list[MetricWatch]:
    """Metrics that are watched, by subject, with how far they were read."""
    uow.by.require(Role.VIEWER)
    rows = uow.session.execute(select(WatchRow.series, WatchRow.read_us))
    read = {row.series: row.read_us for row in rows}
    found = [
        MetricWatch(each.subject, each.metric, instant_of(read[each.id]) if each.id in read else None)
        for each in sources.watched(uow)
    ]
    return sorted(found, key=lambda each: (each.subject, each.metric))


def listed(uow: UnitOfWork, *, subject: str | None = None, limit: int = 100) -> list[Anomaly]:
    """The newest first. Args: subject: only of this one, e.g. `endpoint/chat`."""
    uow.by.require(Role.VIEWER)
    query = select(AnomalyRow).order_by(AnomalyRow.at_us.desc(), AnomalyRow.id.desc())
    if subject is not None:
        query = query.where(AnomalyRow.subject == subject)
    return [
        Anomaly(
            id=row.id,
            series=row.series,
            subject=row.subject,
            metric=row.metric,
            at=instant_of(row.at_us),
            value=row.value,
            usual=row.usual,
            score=row.score,
            sentence=row.sentence,
        )
        for row in uow.session.scalars(query.limit(max(1, min(limit, MAX_LIMIT))))
    ]
