"""Which service calls which, as the settings declare it."""

from __future__ import annotations

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.correlation.grouping import Topology
from opsloop.incidents.settings import IncidentSettings


def of(uow: UnitOfWork) -> Topology:
    declared = uow.workspace.section(IncidentSettings).incident_topology
    return Topology({_name(one): [_name(other) for other in others] for one, others in declared.items()})


def _name(declared: str) -> str:
    return declared if ":" in declared else f"service:{declared}"
