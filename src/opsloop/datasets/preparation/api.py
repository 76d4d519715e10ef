"""HTTP: preparations and their runs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from opsloop.core.caller import Role
from opsloop.core.web.dependencies import Asking, Opened, Reading, Writing
from opsloop.core.web.router import Router
from opsloop.datasets.preparation import declaration, dropped, reading, service
from opsloop.datasets.preparation.models import Preparation, PreparationRun

router = Router(prefix="/api", tags=["preparations"])
Limit = Annotated[int, Query(ge=1, le=1_000)]


class Wanted(BaseModel):
    """`declared` as in `opsloop.yaml`; a `python` step is `{"entry": "prepare.py:clean", "code": "…"}`."""

    model_config = ConfigDict(extra="forbid")
    declared: dict[str, Any]


class Import(BaseModel):
    """`source` is an address such as `delta:lake/orders`, or a mapping as in `opsloop.yaml`."""

    model_config = ConfigDict(extra="forbid")
    source: str | dict[str, Any]
    tags: list[str] = []


@router.get("/preparations")
def listed(uow: Reading) -> dict[str, Any]:
    return {"items": service.listed(uow), "next": None}


@router.put("/preparations/{name}")
def put(uow: Writing, name: str, wanted: Wanted) -> Preparation:
    """Keep a preparation, with its schedule."""
    return service.put(uow, name, wanted.declared)


@router.get("/preparations/{name}")
def get(uow: Reading, name: str) -> Preparation:
    return service.get(uow, name)


@router.delete("/preparations/{name}", status_code=204)
def remove(uow: Writing, name: str) -> None:
    """Forget a preparation and its schedule; its runs and their versions stay."""
    service.remove(uow, name)


@router.post("/preparations/{name}/runs", status_code=202)
def start(uow: Writing, name: str) -> PreparationRun:
    """Run a preparation; it goes on as a job."""
    return service.start(uow, name)


@router.post("/datasets/{name}/imports", status_code=202)
def start_import(uow: Writing, name: str, wanted: Import) -> PreparationRun:
    """Register what stands elsewhere as a version of a dataset; it goes on as a job."""
    return service.start_import(uow, name, wanted.source, tags=wanted.tags)


@router.post("/datasets/{name}/imports/check")
def check_import(workspace: Opened, caller: Asking, name: str, wanted: Import) -> dict[str, Any]:
    """The exact state of a source now, and whether the dataset has it already."""
    caller.require(Role.DEVELOPER)
    declared = declaration.parse(service.imported(name, wanted.source, tags=wanted.tags))
    source = str(reading.pinned(workspace, declared, caller))
    with workspace.reading(caller) as uow:
        runs = service.runs(uow, preparation=f"{service.IMPORT} {name}", limit=20)
        done = [run for run in runs if run.status.is_final and run.error is None]
        held = bool(done) and done[0].sources == (source,) and service.are_current(uow, done[0])
    return {"source": source, "is_new": not held}


@router.get("/preparation-runs")
def runs(uow: Reading, preparation: str | None = None, limit: Limit = 100) -> dict[str, Any]:
    """The newest first."""
    return {"items": service.runs(uow, preparation=preparation, limit=limit), "next": None}


@router.get("/preparation-runs/{run}")
def run(uow: Reading, run: str) -> PreparationRun:
    """What a run read, what each step did, which versions it made."""
    return service.run(uow, run)


@router.get("/preparation-runs/{run}/steps/{step}/dropped")
def dropped_rows(
    uow: Reading, run: str, step: int, offset: Annotated[int, Query(ge=0)] = 0, limit: Limit = 100
) -> dict[str, Any]:
    """The rows that a step dropped; steps are counted from 0, as the run lists them."""
    items = dropped.rows(uow, run, step, offset=offset, limit=limit)
    return {"items": items, "next": offset + limit if len(items) == limit else None}
