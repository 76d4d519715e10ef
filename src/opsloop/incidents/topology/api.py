"""HTTP: who calls whom."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from opsloop.core.web.dependencies import Reading
from opsloop.core.web.router import Router
from opsloop.incidents.topology import service

router = Router(prefix="/api/topology", tags=["incidents"])


@router.get("")
def listed(uow: Reading, limit: Annotated[int, Query(ge=1, le=service.MOST)] = 500) -> dict[str, Any]:
    """Calls between endpoints, services, providers and collections that traces showed of late, and declared ones."""
    named = [{"caller": caller, "callee": callee} for caller, callee in service.declared(uow)]
    return {"items": service.seen(uow, limit=limit), "declared": named, "next": None}
