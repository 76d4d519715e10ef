"""What other slices hear of incidents."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.core.events.types import event_type


@event_type("incident.opened")
@dataclass(frozen=True, slots=True)
class IncidentOpened:
    """Signals belong together that nobody has dealt with.

    Args:
        endpoint: that it is about; empty when it is about none or several.
        severity: `page`, `ticket` or `info`.
    """

    incident: str
    title: str
    severity: str
    endpoint: str
    subjects: list[str]


@event_type("incident.changed")
@dataclass(frozen=True, slots=True)
class IncidentChanged:
    """`what` is `acknowledged`, `mitigated`, `reopened`, `worse`, `suspects` or `diagnosis`."""

    incident: str
    what: str
    endpoint: str
    state: str


@event_type("incident.closed")
@dataclass(frozen=True, slots=True)
class IncidentClosed:
    """Somebody said what it was. `closed_as` is `cause`, `false alarm` or `other`; `cause` says it in words."""

    incident: str
    endpoint: str
    closed_as: str
    cause: str
