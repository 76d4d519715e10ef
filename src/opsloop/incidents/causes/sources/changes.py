"""Changes of the platform: releases, prompts, data, configuration, deployments, schedules, from its audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.causes import changes
from opsloop.incidents.causes.models import Change, ChangeKind
from opsloop.incidents.causes.source import Asked, Part, Source

BACK = timedelta(hours=24)


def _read(uow: UnitOfWork, asked: Asked) -> Part:
    return Part(changes=tuple(_changes(uow, asked)))


def _changes(uow: UnitOfWork, asked: Asked) -> Iterator[Change]:
    """Changes with, for a release that took over, the one that it replaced, where the trail says so."""
    last: dict[str, str | None] = {}
    for change in changes.listed(uow, since=asked.started_at - BACK, until=asked.until):
        if change.kind is ChangeKind.RELEASE:
            known = change.before or last.get(change.subject)
            yield replace(change, before=known if known != change.after else None)
            if change.action in ("rollout.promoted", "endpoint.rolled_back", "endpoint.reinstated"):
                last[change.subject] = change.after
        else:
            yield change


SOURCE = Source("changes", _read)
