"""Kinds of log lines that a service never wrote before, or writes far more often than before."""

from __future__ import annotations

from datetime import UTC, datetime

from opsloop.core.events.outbox import subscriber
from opsloop.core.workspace import UnitOfWork
from opsloop.guardrails.redaction import redacted
from opsloop.incidents import service
from opsloop.incidents.logs.events import LogAnomalyFound
from opsloop.incidents.models import Observed, Subject

SAYS = {"rarity": "writes a kind of line for the first time", "burst": "writes a kind of line far more often"}


@subscriber(LogAnomalyFound, "incidents")
def on_log_anomaly(uow: UnitOfWork, event: LogAnomalyFound) -> None:
    """One anomaly alone wakes nobody: it is for information, and joins an incident that is there."""
    line = event.evidence[0] if event.evidence else event.template
    service.take_in(
        uow,
        [
            Observed(
                "opsloop",
                "log",
                f"{event.kind} in logs",
                "info",
                Subject(service=event.service),
                redacted(f"{event.service} {SAYS[event.kind]}: {line}"),
                datetime.fromtimestamp(event.at_s, UTC),
                key=f"log/{event.service}/{event.fingerprint}/{event.kind}",
                numbers={"count": event.count, "expected": event.expected, "p": event.p},
            )
        ],
    )
