"""Releases among the suspects of an incident."""

from __future__ import annotations

import re
from dataclasses import dataclass

from opsloop.core.errors import NotFound
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.models import Incident, Suspect
from opsloop.releases import service as releases
from opsloop.releases.models import EndpointState

_NAME = re.compile(r"endpoint/(?P<endpoint>[a-z0-9._-]{1,63}), release (?P<number>\d{1,9})")
MOST = 3


@dataclass(frozen=True, slots=True)
class SuspectedRelease:
    """A release that a suspect names, with what its endpoint serves now; `rank`: among the suspects, from 1."""

    suspect: Suspect
    rank: int
    state: EndpointState
    number: int


def suspected_releases(uow: UnitOfWork, incident: Incident) -> list[SuspectedRelease]:
    """The likeliest first; of endpoints that are there."""
    found = []
    for rank, suspect in enumerate(incident.suspects[:MOST], 1):
        named = _NAME.fullmatch(suspect.name) if suspect.kind == "release" else None
        if named is None:
            continue
        try:
            state = releases.endpoint(uow, named["endpoint"])
        except NotFound:
            continue
        found.append(SuspectedRelease(suspect, rank, state, int(named["number"])))
    return found
