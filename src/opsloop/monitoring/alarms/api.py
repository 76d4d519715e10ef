"""HTTP: alarms of watched models."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router
from opsloop.monitoring.alarms import service
from opsloop.monitoring.alarms.models import Alarm, AlarmKind, AlarmState

router = Router(prefix="/api/alarms", tags=["monitoring"])


@router.get("")
def listed(
    uow: Reading,
    endpoint: str | None = None,
    kind: AlarmKind | None = None,
    state: AlarmState | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> dict[str, Any]:
    """The newest first."""
    return {"items": service.listed(uow, endpoint=endpoint, kind=kind, state=state, limit=limit), "next": None}


@router.get("/{alarm}")
def get(uow: Reading, alarm: str) -> Alarm:
    return service.get(uow, alarm)


@router.post("/{alarm}/acknowledge")
def acknowledge(uow: Writing, alarm: str) -> Alarm:
    """Say that somebody is dealing with it."""
    return service.acknowledge(uow, alarm)
