"""`/jobs` and `/jobs/{id}`: work in the background and how far it is."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from opsloop.console import live, words
from opsloop.console.page import Frame, Place, page, shape_of
from opsloop.console.page_router import PageRouter
from opsloop.core.jobs import service
from opsloop.core.jobs.models import Job
from opsloop.core.web.dependencies import Reading
from opsloop.core.workspace import UnitOfWork

router = PageRouter()
JOBS = 200


def progress(job: Job) -> str:
    return f"{job.done:,} of {job.total:,}" if job.total else ""


def _bar(job: Job) -> str:
    return f"{100 * job.done / job.total:.1f}%" if job.total else "0%"


@live.topic("job")
def look(uow: UnitOfWork, argument: str) -> live.Snapshot:
    job = service.get(uow, argument)
    values = {"progress": progress(job), "message": job.message, "bar": _bar(job)}
    return live.Snapshot(values, shape_of([job.status]))


@router.get("/jobs")
def listed(request: Request, uow: Reading, kind: Annotated[str, Query(max_length=100)] = "") -> Response:
    found = service.listed(uow, kind=kind or None, limit=JOBS)
    frame = Frame("Jobs", json="/api/jobs")
    return page(request, "jobs.html", frame, jobs=found, kind=kind, progress=progress, limit=JOBS, now=uow.clock.now())


@router.get("/jobs/{job}")
def shown(request: Request, uow: Reading, job: str) -> Response:
    found = service.get(uow, job)
    frame = Frame(
        found.kind,
        trail=(Place("Jobs", "/jobs"),),
        json=f"/api/jobs/{words.segment(found.id)}",
        topics=() if found.status.is_final else (f"job:{found.id}",),
        shape=shape_of([found.status]),
    )
    now = uow.clock.now()
    return page(request, "job.html", frame, job=found, progress=progress(found), bar=_bar(found), now=now)
