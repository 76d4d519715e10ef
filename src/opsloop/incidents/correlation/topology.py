"""Which parts are neighbours, as grouping asks it."""

from __future__ import annotations

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.correlation.grouping import Topology
from opsloop.incidents.topology import service


def of(uow: UnitOfWork) -> Topology:
    edges: dict[str, list[str]] = {}
    for caller, callee in service.pairs(uow):
        edges.setdefault(caller, []).append(callee)
    return Topology(edges)
