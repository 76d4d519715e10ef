"""The call graph as a ranking asks it: who calls whom, and what lies behind a service."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from opsloop.incidents.causes.models import Edge

Calls = Mapping[str, frozenset[str]]


def callees(edges: Iterable[Edge]) -> Calls:
    """Whom each caller calls; calls to itself are left out."""
    found: dict[str, set[str]] = {}
    for edge in edges:
        if edge.caller != edge.callee:
            found.setdefault(edge.caller, set()).add(edge.callee)
    return {caller: frozenset(called) for caller, called in found.items()}


def distances(calls: Calls, start: Iterable[str]) -> dict[str, int]:
    """How many calls lie between one of some services and each that it depends on; the services themselves: 0."""
    found = dict.fromkeys(start, 0)
    ahead = deque(found)
    while ahead:
        caller = ahead.popleft()
        for callee in sorted(calls.get(caller, ())):
            if callee not in found:
                found[callee] = found[caller] + 1
                ahead.append(callee)
    return found
