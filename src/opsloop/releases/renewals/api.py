"""HTTP: renewals."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router
from opsloop.releases.renewals import service
from opsloop.releases.renewals.models import Renewal, RenewalHistory

router = Router(prefix="/api", tags=["renewals"])


class StartRenewal(BaseModel):
    """`model`: a version to try in place of a new one; `config`: of the release, unset: that of the one that serves;
    `policy`: where the config has none.
    """

    model_config = ConfigDict(extra="forbid")

    reason: str = Field("", max_length=service.LONGEST_REASON)
    model: str | None = Field(None, max_length=300)
    config: dict[str, JsonValue] | None = None
    policy: dict[str, JsonValue] | None = None


class RejectRenewal(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=service.LONGEST_REASON)


@router.get("/renewals")
def listed(
    uow: Reading, endpoint: str | None = None, limit: Annotated[int, Query(ge=1, le=1_000)] = 100
) -> dict[str, Any]:
    """The newest first."""
    return {"items": service.listed(uow, endpoint=endpoint, limit=limit), "next": None}


@router.get("/renewals/{renewal}")
def get(uow: Reading, renewal: str) -> RenewalHistory:
    return service.get(uow, renewal)


@router.post("/endpoints/{name}/renewals", status_code=202)
def start(uow: Writing, name: str, body: StartRenewal) -> Renewal:
    """Renew what an endpoint serves; it goes on by itself."""
    return service.start(uow, name, reason=body.reason, model=body.model, config=body.config, policy=body.policy)


@router.post("/renewals/{renewal}/approve")
def approve(uow: Writing, renewal: str) -> Renewal:
    """Let a challenger that passed its gate go to traffic."""
    return service.approve(uow, renewal)


@router.post("/renewals/{renewal}/reject")
def reject(uow: Writing, renewal: str, body: RejectRenewal) -> Renewal:
    return service.reject(uow, renewal, reason=body.reason)
