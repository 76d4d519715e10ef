"""HTTP: tune a collection."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router
from opsloop.evaluation.tuning import service
from opsloop.evaluation.tuning.models import Tuning

router = Router(prefix="/api/collections/{name}/tunings", tags=["documents"])


class Tune(BaseModel):
    """`by`: what the dataset calls passages by; `apply`: set what was chosen."""

    model_config = ConfigDict(extra="forbid")
    dataset: str
    by: str = service.KNOWN_BY[0]
    apply: bool = False


@router.post("", status_code=202)
def start(uow: Writing, name: str, wanted: Tune) -> Tuning:
    """A job that chooses settings on one half of a dataset's questions and reports on the other half."""
    return service.start(uow, name, wanted.dataset, by=wanted.by, apply=wanted.apply)


@router.get("")
def listed(uow: Reading, name: str, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> dict[str, Any]:
    return {"items": service.listed(uow, name, limit=limit), "next": None}


@router.get("/{tuning}")
def get(uow: Reading, name: str, tuning: str) -> Tuning:
    """How far a tuning is, and what it chose once it is done."""
    return service.get(uow, name, tuning)
