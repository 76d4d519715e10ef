"""Collect what the platform has stored about an incident's time, from every source, on one timeline."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Sequence
from datetime import datetime

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.causes import sources
from opsloop.incidents.causes.callers import callees, distances
from opsloop.incidents.causes.models import Edge, Evidence
from opsloop.incidents.causes.source import Asked, Source
from opsloop.incidents.topology import service as topology
from opsloop.incidents.topology.targets import target
from opsloop.releases import service as releases

MOST_NEAR = 100


def evidence(uow: UnitOfWork, *, subjects: Sequence[str], started_at: datetime, until: datetime) -> Evidence:
    """What is stored of the time around a start. Args: subjects: such as `endpoint/chat`, or names of services."""
    endpoints = frozenset(state.endpoint.name for state in releases.endpoints(uow))
    mine = tuple(f"endpoint/{each}" if each in endpoints else each for each in subjects)
    asked = Asked(mine, _near(uow, mine), endpoints, started_at, until)
    parts = [each.read(uow, asked) for each in known()]
    return Evidence(
        subjects=mine,
        started_at=started_at,
        until=until,
        series=tuple(each for part in parts for each in part.series),
        edges=tuple(each for part in parts for each in part.edges),
        logs=tuple(each for part in parts for each in part.logs),
        releases=tuple(each for part in parts for each in part.releases),
        changes=tuple(each for part in parts for each in part.changes),
    )


def _near(uow: UnitOfWork, subjects: tuple[str, ...]) -> tuple[str, ...]:
    edges = [Edge(target(caller), target(callee)) for caller, callee in topology.pairs(uow)]
    found = distances(callees(edges), subjects)
    return tuple(sorted(found, key=lambda each: (found[each], each))[:MOST_NEAR])


@functools.cache
def known() -> tuple[Source, ...]:
    """Every source in `sources/`, by name."""
    names = [each.name for each in pkgutil.iter_modules(sources.__path__)]
    found = [importlib.import_module(f"{sources.__name__}.{name}").SOURCE for name in names]
    return tuple(sorted(found, key=lambda each: each.name))
