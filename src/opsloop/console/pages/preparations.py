"""`/preparations` and `/preparations/{run}`: what prepares data and when; what a run did with the rows."""

from __future__ import annotations

import shlex
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from opsloop.console import words
from opsloop.console.page import Frame, Place, page
from opsloop.console.page_router import PageRouter
from opsloop.core.artifacts.store import ArtifactMissing
from opsloop.core.errors import ExtraNeeded
from opsloop.core.web.dependencies import Reading
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets.preparation import dropped, service
from opsloop.datasets.preparation.models import DroppedRow, PreparationRun

router = PageRouter()
RUNS = 50
ROWS = 50
DATASETS = Place("Datasets", "/datasets")


@router.get("/preparations")
def listed(request: Request, uow: Reading) -> Response:
    frame = Frame("Preparations", trail=(DATASETS,), cli="opsloop data preparations", json="/api/preparations")
    return page(
        request,
        "preparations.html",
        frame,
        preparations=service.listed(uow),
        runs=service.runs(uow, limit=RUNS),
        now=uow.clock.now(),
    )


@router.get("/preparations/{run}")
def shown(
    request: Request, uow: Reading, run: str, step: Annotated[int | None, Query(ge=0, le=1_000)] = None
) -> Response:
    """`step` shows the rows that a step dropped."""
    found = service.run(uow, run)
    frame = Frame(
        found.preparation,
        trail=(DATASETS, Place("Preparations", "/preparations")),
        cli=f"opsloop data preparation {shlex.quote(found.id)}",
        json=f"/api/preparation-runs/{words.segment(found.id)}",
    )
    rows, missing = _dropped(uow, found, step)
    now = uow.clock.now()
    return page(request, "preparation.html", frame, run=found, step=step, rows=rows, missing=missing, now=now)


def _dropped(uow: UnitOfWork, run: PreparationRun, step: int | None) -> tuple[list[DroppedRow], str]:
    """Rows that a step dropped, or why they cannot be shown."""
    if step is None:
        return [], ""
    try:
        return dropped.rows(uow, run.id, step, limit=ROWS), ""
    except (ExtraNeeded, ArtifactMissing) as error:
        return [], error.sentence
