"""HTTP: endpoints, releases, rollouts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import Body, Query
from fastapi.responses import HTMLResponse, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from opsloop.core.errors import InvalidInput
from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router
from opsloop.guardrails.models import Direction, Guardrails
from opsloop.releases import (
    approvals,
    diffs,
    environments,
    freezes,
    guarding,
    kept_texts,
    recalls,
    reversals,
    rollouts,
    service,
    text_keeping,
)
from opsloop.releases.diff_models import ReleaseDiff
from opsloop.releases.experiments import html
from opsloop.releases.experiments import service as experiments
from opsloop.releases.experiments.models import ExperimentReport
from opsloop.releases.models import Endpoint, EndpointState, Freeze, Recall, Released, Rollout, RolloutHistory

router = Router(prefix="/api", tags=["releases"])


class NewEndpoint(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200)


class TextsWanted(BaseModel):
    """`keep_texts`: `{"days": 30, "share": 1, "redact": true}`, each of which may be left out; or true, false, null."""

    model_config = ConfigDict(extra="forbid")

    keep_texts: JsonValue


class EnvironmentWanted(BaseModel):
    """`environment`: `production`, `staging`, `test`, `development`; null for that of the platform."""

    model_config = ConfigDict(extra="forbid")

    environment: str | None = Field(max_length=63)


class NewRelease(BaseModel):
    """`flow` or `model` is the version to release, such as `answer@2`; of a model also `iris@challenger`."""

    model_config = ConfigDict(extra="forbid")

    flow: str | None = Field(None, max_length=300)
    model: str | None = Field(None, max_length=300)
    config: dict[str, JsonValue] = Field(default_factory=dict)
    evaluation: str | None = None
    strategy: str | dict[str, JsonValue] | None = None


class Approve(BaseModel):
    """`digest` of the approval that was shown."""

    model_config = ConfigDict(extra="forbid")

    digest: str = Field(max_length=100)
    reason: str = Field("", max_length=approvals.LONGEST_REASON)


class Reject(BaseModel):
    model_config = ConfigDict(extra="forbid")

    digest: str = Field(max_length=100)
    reason: str = Field(max_length=approvals.LONGEST_REASON)


class Because(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=rollouts.LONGEST_REASON)


class NewFreeze(BaseModel):
    """`endpoint`: unset for all of them; `until`: unset until somebody thaws it."""

    model_config = ConfigDict(extra="forbid")

    endpoint: str | None = Field(None, max_length=200)
    reason: str = Field(max_length=freezes.LONGEST_REASON)
    until: AwareDatetime | None = None


class Reinstated(BaseModel):
    model_config = ConfigDict(extra="forbid")

    release: int = Field(ge=1, description="its number")
    reason: str


class Thaw(BaseModel):
    model_config = ConfigDict(extra="forbid")

    endpoint: str | None = Field(None, max_length=200)


@router.post("/endpoints", status_code=201)
def create_endpoint(uow: Writing, body: NewEndpoint) -> Endpoint:
    return service.create_endpoint(uow, body.name)


@router.get("/endpoints")
def endpoints(uow: Reading) -> dict[str, Any]:
    return {"items": service.endpoints(uow), "next": None}


@router.get("/endpoints/{name}")
def endpoint(uow: Reading, name: str) -> EndpointState:
    return service.endpoint(uow, name)


@router.put("/endpoints/{name}/keep-texts")
def keep_texts(uow: Writing, name: str, wanted: Annotated[TextsWanted, Body()]) -> Endpoint:
    """Say whether the endpoint keeps questions and answers from now on, how long, and of which share of requests.

    With `keep_texts` null or false nothing is kept, and what was goes at once.
    """
    text_keeping.declare(uow, name, kept_texts.parse(wanted.keep_texts))
    return service.endpoint(uow, name).endpoint


@router.put("/endpoints/{name}/environment")
def environment(uow: Writing, name: str, wanted: Annotated[EnvironmentWanted, Body()]) -> Endpoint:
    """Say which environment the endpoint is of: repairs earn their autonomy outside of production first."""
    service.set_environment(uow, name, environments.parse(wanted.environment))
    return service.endpoint(uow, name).endpoint


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


@router.get("/endpoints/{name}/releases/{span}")
def diff(uow: Reading, name: str, span: str) -> ReleaseDiff:
    """What two releases differ in, by their numbers: `3..4`."""
    before, after = numbers_of(span)
    return diffs.diff(uow, name, before, after)


@router.get("/endpoints/{name}/history")
def history(uow: Reading, name: str, limit: Annotated[int, Query(ge=1, le=1_000)] = 200) -> dict[str, Any]:
    """What happened in all rollouts of an endpoint, the newest first: who, when, why."""
    return {"items": diffs.history(uow, name, limit=limit), "next": None}


def numbers_of(span: str) -> tuple[int, int]:
    """The two numbers of `3..4`. Raises: InvalidInput."""
    before, dots, after = span.partition("..")
    if not (dots and before.isdecimal() and after.isdecimal() and len(span) < 30):
        raise InvalidInput(field="releases", value=span, wanted="two numbers of releases, such as 3..4")
    return int(before), int(after)


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


@router.post("/releases/{release}/recall")
def recall(uow: Writing, release: str, body: Because) -> Recall:
    """Take what a release serves out of every endpoint, and let none serve it again."""
    return recalls.recall(uow, release, reason=body.reason)


@router.post("/endpoints/{name}/rollback")
def roll_back_endpoint(uow: Writing, name: str) -> EndpointState:
    return service.roll_back(uow, name)


@router.post("/endpoints/{name}/reinstate")
def reinstate_release(uow: Writing, name: str, body: Reinstated) -> EndpointState:
    """Let a release serve everybody again that did before and was left."""
    reversals.reinstate(uow, name, number=body.release, why=body.reason)
    return service.endpoint(uow, name)


@router.get("/endpoints/{name}/rollouts")
def endpoint_rollouts(uow: Reading, name: str) -> dict[str, Any]:
    return {"items": rollouts.listed(uow, name), "next": None}


@router.get("/rollouts/{rollout}")
def rollout(uow: Reading, rollout: str) -> RolloutHistory:
    return rollouts.get(uow, rollout)


@router.get("/rollouts/{rollout}/report", response_model=ExperimentReport)
def report(uow: Reading, rollout: str, format: Literal["json", "html"] = "json") -> ExperimentReport | Response:
    """An A/B test so far, or its result; `format=html` is one file to keep."""
    found = experiments.report(uow, rollout)
    if format == "json":
        return found
    name = f"experiment-{rollout}.html"
    return HTMLResponse(html.render(found), headers={"content-disposition": f'attachment; filename="{name}"'})


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


@router.get("/approvals")
def waiting(uow: Reading) -> dict[str, Any]:
    """What rollouts wait for a person to say, the oldest question first."""
    return {"items": approvals.waiting(uow), "next": None}


@router.post("/rollouts/{rollout}/approve")
def approve(uow: Writing, rollout: str, body: Approve) -> Rollout:
    return approvals.approve(uow, rollout, digest=body.digest, reason=body.reason)


@router.post("/rollouts/{rollout}/reject")
def reject(uow: Writing, rollout: str, body: Reject) -> Rollout:
    """Say no: the candidate is taken back."""
    return approvals.reject(uow, rollout, digest=body.digest, reason=body.reason)


@router.post("/rollouts/{rollout}/override")
def override(uow: Writing, rollout: str, body: Because) -> Rollout:
    """Let a rollout go on in freezes and outside its windows; for admins."""
    return rollouts.override(uow, rollout, reason=body.reason)


@router.get("/freezes")
def listed_freezes(uow: Reading, active: bool = False) -> dict[str, Any]:
    """The newest first; with `active` those that hold now."""
    return {"items": freezes.active(uow) if active else freezes.listed(uow), "next": None}


@router.post("/freezes", status_code=201)
def freeze(uow: Writing, body: NewFreeze) -> Freeze:
    """From now on no rollout gives a candidate traffic; rollbacks go on."""
    return freezes.begin(uow, body.endpoint, reason=body.reason, until=body.until)


@router.post("/freezes/thaw")
def thaw(uow: Writing, body: Thaw) -> Freeze:
    return freezes.thaw(uow, body.endpoint)
