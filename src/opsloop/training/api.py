"""HTTP: pipelines and their runs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router
from opsloop.training import service
from opsloop.training.models import Pipeline, TrainingRun

router = Router(prefix="/api/training", tags=["training"])


class Wanted(BaseModel):
    """`declared` as in `opsloop.yaml`; `code` has the files of Python that it names, by their paths."""

    model_config = ConfigDict(extra="forbid")
    declared: dict[str, Any]
    code: dict[str, str] = {}


class Start(BaseModel):
    """`dataset` and `window` say what to learn from where it is not what the pipeline declares."""

    model_config = ConfigDict(extra="forbid")
    dataset: str | None = None
    window: dict[str, Any] | None = None
    force: bool = False
    reason: str = ""


@router.get("/pipelines")
def listed(uow: Reading) -> dict[str, Any]:
    return {"items": service.pipelines(uow), "next": None}


@router.put("/pipelines/{name}")
def put(uow: Writing, name: str, wanted: Wanted) -> Pipeline:
    """Keep a pipeline, with its schedule; what is learned in another way is a new version of it."""
    return service.put(uow, name, wanted.declared, code=wanted.code)


@router.get("/pipelines/{name}")
def get(uow: Reading, name: str) -> Pipeline:
    return service.get(uow, name)


@router.delete("/pipelines/{name}", status_code=204)
def remove(uow: Writing, name: str) -> None:
    """Forget a pipeline and its schedule; its runs and the models they made stay."""
    service.remove(uow, name)


@router.post("/pipelines/{name}/runs", status_code=202)
def start(uow: Writing, name: str, wanted: Start) -> TrainingRun:
    """Run a pipeline; it goes on as a job."""
    return service.start(
        uow, name, reason=wanted.reason, dataset=wanted.dataset, window=wanted.window, force=wanted.force
    )


@router.get("/runs")
def runs(
    uow: Reading, pipeline: str | None = None, limit: Annotated[int, Query(ge=1, le=1_000)] = 100
) -> dict[str, Any]:
    """The newest first."""
    return {"items": service.runs(uow, pipeline=pipeline, limit=limit), "next": None}


@router.get("/runs/{run}")
def run(uow: Reading, run: str) -> TrainingRun:
    """What a run learned from, how well, and the version it made."""
    return service.run(uow, run)


@router.post("/runs/{run}/cancel")
def cancel(uow: Writing, run: str) -> TrainingRun:
    return service.cancel(uow, run)
