"""HTTP: what keys and endpoints may use."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router
from opsloop.limits import service
from opsloop.limits.models import Limit, LimitState, Scope

router = Router(prefix="/api/limits", tags=["limits"])


class NewLimit(BaseModel):
    """What is left out or null is not limited."""

    model_config = ConfigDict(extra="forbid", strict=True)

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent: int | None = None
    usd_per_day: float | None = None
    usd_per_month: float | None = None

    def limit(self) -> Limit:
        return Limit(**self.model_dump())


@router.get("")
def listed(uow: Reading) -> dict[str, Any]:
    """Every limit that is set."""
    return {"items": service.listed(uow), "next": None}


@router.get("/use")
def used(uow: Reading) -> dict[str, Any]:
    """What was used in the windows that are now."""
    return {"items": service.used(uow), "next": None}


@router.put("/default")
def put_default(uow: Writing, body: NewLimit) -> LimitState:
    """What each key may use that has no limit of its own."""
    return service.put(uow, Scope.DEFAULT, "", body.limit())


@router.delete("/default", status_code=204)
def remove_default(uow: Writing) -> None:
    service.remove(uow, Scope.DEFAULT, "")


@router.put("/keys/{name}")
def put_key(uow: Writing, name: str, body: NewLimit) -> LimitState:
    return service.put(uow, Scope.KEY, name, body.limit())


@router.delete("/keys/{name}", status_code=204)
def remove_key(uow: Writing, name: str) -> None:
    service.remove(uow, Scope.KEY, name)


@router.put("/endpoints/{name}")
def put_endpoint(uow: Writing, name: str, body: NewLimit) -> LimitState:
    return service.put(uow, Scope.ENDPOINT, name, body.limit())


@router.delete("/endpoints/{name}", status_code=204)
def remove_endpoint(uow: Writing, name: str) -> None:
    service.remove(uow, Scope.ENDPOINT, name)
