"""HTTP: jobs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from opsloop.core.jobs import service
from opsloop.core.jobs.models import Job
from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router

router = Router(prefix="/api/jobs", tags=["jobs"])


@router.get("")
def listed(uow: Reading, kind: str | None = None, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> dict[str, Any]:
    return {"items": service.listed(uow, kind=kind, limit=limit), "next": None}


@router.get("/{job_id}")
def get(uow: Reading, job_id: str) -> Job:
    return service.get(uow, job_id)


@router.post("/{job_id}/cancel")
def cancel(uow: Writing, job_id: str) -> Job:
    return service.cancel(uow, job_id)
