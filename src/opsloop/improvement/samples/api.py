"""HTTP: how live answers of endpoints are scored."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body

from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router
from opsloop.improvement.samples import service
from opsloop.improvement.samples.models import Scoring

router = Router(tags=["monitoring"])


@router.get("/api/endpoints/{name}/scoring")
def scoring(uow: Reading, name: str) -> Scoring:
    """Which evaluators score live answers, and how many."""
    return service.get(uow, name)


@router.put("/api/endpoints/{name}/scoring")
def declare(uow: Writing, name: str, wanted: Annotated[dict[str, Any], Body()]) -> Scoring:
    """Score a sample of the answers that the endpoint keeps, such as
    `{"share": 0.1, "per_hour": 60, "evaluators": {"leaks": {"evaluator": "pii_leak", "measure": "privacy"}}}`."""
    return service.declare(uow, name, wanted)


@router.delete("/api/endpoints/{name}/scoring", status_code=204)
def withdraw(uow: Writing, name: str) -> None:
    service.withdraw(uow, name)
