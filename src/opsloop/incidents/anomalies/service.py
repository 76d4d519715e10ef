"""Read the anomalies that were found."""

from __future__ import annotations

from sqlalchemy import select

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.anomalies._tables import AnomalyRow
from opsloop.incidents.anomalies.models import Anomaly
from opsloop.monitoring.instants import instant_of

MAX_LIMIT = 1_000


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
