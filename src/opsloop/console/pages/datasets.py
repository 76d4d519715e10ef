"""`/datasets` and `/datasets/{name}`: versions, what is in their columns, the first rows."""

from __future__ import annotations

import shlex
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from opsloop.console import words
from opsloop.console.page import Frame, Place, page
from opsloop.console.page_router import PageRouter
from opsloop.core.errors import ExtraNeeded
from opsloop.core.web.dependencies import Reading
from opsloop.core.workspace import UnitOfWork
from opsloop.datasets import lineage, service
from opsloop.datasets.holdout import DEV
from opsloop.datasets.models import DatasetVersion

router = PageRouter()
DATASETS = 500
ROWS = 20
USES = 50
COLUMNS = 30


@router.get("/datasets")
def listed(request: Request, uow: Reading, q: Annotated[str, Query(max_length=100)] = "") -> Response:
    found = service.listed(uow, limit=DATASETS)
    frame = Frame("Datasets", cli="opsloop data list", json="/api/datasets")
    shown = [each for each in found if q.lower() in each.name.lower()]
    return page(request, "datasets.html", frame, versions=shown, any=bool(found), q=q, now=uow.clock.now())


@router.get("/datasets/{ref}")
def shown(
    request: Request,
    uow: Reading,
    ref: str,
    number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
    part: Annotated[str, Query(pattern="^(holdout|dev)$")] = DEV,
) -> Response:
    """`golden`, `golden@3` or `golden@TAG`. Rows that are held out are shown only when they are asked for."""
    version = service.get(uow, ref)
    in_part = service.get(uow, f"{version.ref}/{part}") if version.parts else version
    frame = Frame(
        version.ref,
        trail=(Place("Datasets", "/datasets"),),
        cli=f"opsloop data show {shlex.quote(version.ref)} --rows 3",
        json=f"/api/datasets/{words.segment(version.name)}/versions/{version.version}",
    )
    rows, missing = _rows(uow, in_part, number)
    return page(
        request,
        "dataset.html",
        frame,
        version=version,
        versions=service.listed(uow, name=version.name),
        uses=lineage.uses(uow, version.name, limit=USES),
        columns=list(zip(version.schema, version.profile, strict=False)),
        wide=[column.name for column in version.schema[:COLUMNS]],
        rows=rows,
        missing=missing,
        first=(number - 1) * ROWS,
        number=number,
        pages=max(1, -(-in_part.rows // ROWS)),
        part=in_part.part,
        now=uow.clock.now(),
    )


def _rows(uow: UnitOfWork, version: DatasetVersion, number: int) -> tuple[list[dict[str, object]], str]:
    """A page of rows, or why there is none: reading them needs an extra."""
    try:
        return list(service.rows(uow, version, offset=(number - 1) * ROWS, limit=ROWS)), ""
    except ExtraNeeded as error:
        return [], error.sentence
