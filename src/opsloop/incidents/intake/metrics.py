"""Anomalies that detectors of ours find in metrics."""

from __future__ import annotations

from opsloop.core.events.outbox import subscriber
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import service
from opsloop.incidents.anomalies.events import MetricAnomalyFound
from opsloop.incidents.intake.message import instant
from opsloop.incidents.models import Observed, Subject


@subscriber(MetricAnomalyFound, "incidents")
def on_anomaly(uow: UnitOfWork, event: MetricAnomalyFound) -> None:
    """One anomaly alone wakes nobody: it is for information, and joins an incident that is there."""
    kind, _, name = event.subject.partition("/")
    subject = Subject(endpoint=name) if kind == "endpoint" else Subject(service=name or kind)
    service.take_in(
        uow,
        [
            Observed(
                "opsloop",
                "metric",
                f"anomaly of {event.metric}",
                "info",
                subject,
                event.sentence,
                instant(event.at, uow.clock.now()),
                key=event.series,
                numbers={"value": event.value, "usual": event.usual, "score": event.score},
            )
        ],
    )
