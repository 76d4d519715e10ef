"""HTTP: questions and answers that endpoints keep."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router
from opsloop.monitoring.texts import service

router = Router(prefix="/api/texts", tags=["monitoring"])


@router.get("")
def newest(
    uow: Reading,
    endpoint: str | None = None,
    request_id: str | None = None,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Questions and answers of endpoints that keep them, newest first; for developers."""
    if request_id is not None:
        return {"items": list(service.of_requests(uow, [request_id]).values()), "next": None}
    found = service.newest(uow, endpoint=endpoint, before_seq=before, limit=limit)
    return {"items": found, "next": found[-1].seq if len(found) == limit else None}


@router.delete("/{request_id}")
def erase(uow: Writing, request_id: str) -> dict[str, int]:
    """Let go of a request's texts before their time."""
    return {"erased": service.erase(uow, request_id)}
