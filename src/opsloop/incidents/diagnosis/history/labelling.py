"""Closing an incident says what its diagnoses turned out to be."""

from __future__ import annotations

from opsloop.core.events.outbox import subscriber
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.diagnosis.history import service
from opsloop.incidents.events import IncidentClosed


@subscriber(IncidentClosed, "diagnosis labelling")
def on_closed(uow: UnitOfWork, event: IncidentClosed) -> None:
    service.label(uow, event.incident, closed_as=event.closed_as, cause=event.cause)
