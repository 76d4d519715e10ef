"""Where a version of a model serves or served: its releases, what became of each, and whether its rows drifted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring.alarms import service as alarms
from opsloop.releases import service as releases
from opsloop.releases.models import EndpointState, Release


@dataclass(frozen=True, slots=True)
class ServingPlace:
    """A release of a version.

    Args:
        stage: `stable`, `candidate`, or empty when it serves no more.
        has_alarm: whether an alarm of it is open.
    """

    release: Release
    stage: str
    has_alarm: bool


def of_version(uow: UnitOfWork, ref: str) -> list[ServingPlace]:
    """The newest release first."""
    found = releases.releases_of(uow, ref)
    states = {name: releases.endpoint(uow, name) for name in {each.endpoint for each in found}}
    drifted = {alarm.release for name in states for alarm in alarms.unclosed(uow, name)}
    return [ServingPlace(each, _stage(each, states[each.endpoint]), each.id in drifted) for each in found]


def of_model(name: str, states: Sequence[EndpointState]) -> list[str]:
    """Endpoints whose stable release is of a version of a model."""
    return [
        each.endpoint.name
        for each in states
        if each.stable is not None and each.stable.kind == "model" and each.stable.serves.partition("@")[0] == name
    ]


def _stage(release: Release, state: EndpointState) -> str:
    if state.stable is not None and state.stable.id == release.id:
        return "stable"
    return "candidate" if state.candidate is not None and state.candidate.id == release.id else ""
