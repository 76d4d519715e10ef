"""HTTP: anomalies in metrics."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from opsloop.core.web.dependencies import Reading
from opsloop.core.web.router import Router
from opsloop.incidents.anomalies import service

router = Router(prefix="/api/anomalies", tags=["incidents"])


@router.get("")
def listed(
    uow: Reading,
    subject: Annotated[str | None, Query(max_length=300, description="such as endpoint/chat or service/cart")] = None,
    limit: Annotated[int, Query(ge=1, le=service.MAX_LIMIT)] = 100,
) -> dict[str, Any]:
    """Where metrics left their usual range, newest first."""
    return {"items": service.listed(uow, subject=subject, limit=limit)}
