"""HTTP: notices that were sent, and how that went."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from opsloop.core.notices import service
from opsloop.core.notices.models import Delivery
from opsloop.core.web.dependencies import Reading
from opsloop.core.web.router import Router

router = Router(prefix="/api/notices", tags=["notices"])


@router.get("")
def listed(
    uow: Reading, about: str | None = None, limit: Annotated[int, Query(ge=1, le=1_000)] = 100
) -> dict[str, Any]:
    """The newest first; `about` is such as `pipeline/iris`."""
    return {"items": service.listed(uow, about=about, limit=limit), "next": None}


@router.get("/{delivery}")
def get(uow: Reading, delivery: str) -> Delivery:
    return service.get(uow, delivery)
