"""HTTP: endpoints, releases, rollouts."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from opsloop.core.web.dependencies import Reading, Writing
from opsloop.guardrails.models import Direction, Guardrails
from opsloop.releases import guarding, rollouts, service
from opsloop.releases.models import Endpoint, EndpointState, Released, Rollout, RolloutHistory

router = APIRouter(prefix="/api", tags=["releases"])


class NewEndpoint(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200)


class NewRelease(BaseModel):
    """`flow` or `model` is the version to release, such as `answer@2`; of a model also `iris@challenger`."""

    model_config = ConfigDict(extra="forbid")

    flow: str | None = Field(None, max_length=300)
    model: str | None = Field(None, max_length=300)
    config: dict[str, JsonValue] = Field(default_factory=dict)
    evaluation: str | None = None
    strategy: str | dict[str, JsonValue] | None = None


@router.post("/endpoints", status_code=201)
def create_endpoint(uow: Writing, body: NewEndpoint) -> Endpoint:
    return service.create_endpoint(uow, body.name)


@router.get("/endpoints")
def endpoints(uow: Reading) -> dict[str, Any]:
    return {"items": service.endpoints(uow), "next": None}


@router.get("/endpoints/{name}")
def endpoint(uow: Reading, name: str) -> EndpointState:
    return service.endpoint(uow, name)


@router.post("/endpoints/{name}/releases", status_code=201)
def create_release(uow: Writing, name: str, body: NewRelease) -> Released:
    return service.create_release(
        uow,
        name,
        flow=body.flow,
        model=body.model,
        config=body.config,
        evaluation=body.evaluation,
        strategy=body.strategy,
    )


@router.get("/endpoints/{name}/releases")
def releases(uow: Reading, name: str) -> dict[str, Any]:
    return {"items": service.releases(uow, name), "next": None}


@router.get("/releases")
def releases_of(uow: Reading, serves: Annotated[str, Query(max_length=300)]) -> dict[str, Any]:
    """Releases of every endpoint that serve a version such as `iris@3`, the newest first."""
    return {"items": service.releases_of(uow, serves), "next": None}


@router.get("/endpoints/{name}/guardrails")
def guardrails(uow: Reading, name: str) -> Guardrails:
    """What is looked for in the requests and answers of an endpoint, and what happens then."""
    return guarding.of_endpoint(uow, name)


@router.put("/endpoints/{name}/guardrails")
def put_guardrails(
    uow: Writing,
    name: str,
    policy: Annotated[dict[str, JsonValue], Body()],
    version: Annotated[int | None, Query(ge=0, description="that is to be replaced; any other is a conflict")] = None,
) -> Guardrails:
    """Replace the guardrails of an endpoint; gateways follow within a second."""
    return guarding.put(uow, name, policy, expected=version)


class Tried(BaseModel):
    """A text to try the policy on."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=100_000)
    direction: Direction = "answer"


@router.post("/endpoints/{name}/guardrails/check")
def check_guardrails(uow: Reading, name: str, body: Tried) -> dict[str, Any]:
    """What the guardrails of an endpoint would do with a text; nothing is recorded."""
    found = guarding.check(uow, name, body.text, body.direction)
    # FastAPI does not know structs.
    return {"outcome": found.outcome, "text": found.text, "hits": msgspec.to_builtins(found.hits)}


@router.post("/endpoints/{name}/rollback")
def roll_back_endpoint(uow: Writing, name: str) -> EndpointState:
    return service.roll_back(uow, name)


@router.get("/endpoints/{name}/rollouts")
def endpoint_rollouts(uow: Reading, name: str) -> dict[str, Any]:
    return {"items": rollouts.listed(uow, name), "next": None}


@router.get("/rollouts/{rollout}")
def rollout(uow: Reading, rollout: str) -> RolloutHistory:
    return rollouts.get(uow, rollout)


@router.post("/rollouts/{rollout}/pause")
def pause(uow: Writing, rollout: str) -> Rollout:
    return rollouts.pause(uow, rollout)


@router.post("/rollouts/{rollout}/resume")
def resume(uow: Writing, rollout: str) -> Rollout:
    return rollouts.resume(uow, rollout)


@router.post("/rollouts/{rollout}/promote")
def promote(uow: Writing, rollout: str) -> Rollout:
    return rollouts.promote(uow, rollout)


@router.post("/rollouts/{rollout}/rollback")
def roll_back(uow: Writing, rollout: str) -> Rollout:
    return rollouts.roll_back(uow, rollout)


@router.post("/rollouts/{rollout}/abort")
def abort(uow: Writing, rollout: str) -> Rollout:
    return rollouts.abort(uow, rollout)
