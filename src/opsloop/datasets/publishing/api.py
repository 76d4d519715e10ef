"""HTTP: where dataset versions are published."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router
from opsloop.datasets.publishing import service
from opsloop.datasets.publishing.models import DatasetPublication

router = Router(prefix="/api", tags=["publications"])


class Publish(BaseModel):
    """`to` is an address such as `delta:lake/golden`; `replace` overwrites what Opsloop did not publish.

    `part` publishes the rows that are held out, or those that are not, alone.
    """

    model_config = ConfigDict(extra="forbid")
    to: str
    replace: bool = False
    part: Literal["dev", "holdout"] | None = None


@router.post("/datasets/{name}/versions/{version}/publications", status_code=202)
def publish(uow: Writing, name: str, version: str, wanted: Publish) -> DatasetPublication:
    """Publish a version; it goes on as a job."""
    return service.start(
        uow, f"{name}@{version}{f'/{wanted.part}' if wanted.part else ''}", wanted.to, replace=wanted.replace
    )


@router.get("/publications")
def listed(
    uow: Reading, dataset: str | None = None, limit: Annotated[int, Query(ge=1, le=1_000)] = 100
) -> dict[str, Any]:
    """The newest first."""
    return {"items": service.listed(uow, name=dataset, limit=limit), "next": None}


@router.get("/publications/{publication}")
def get(uow: Reading, publication: str) -> DatasetPublication:
    return service.get(uow, publication)
