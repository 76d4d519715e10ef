"""HTTP: objectives of endpoints and how they stand."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Body
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.web.router import Router
from opsloop.monitoring.objectives import prometheus, scores, service
from opsloop.monitoring.objectives.models import Objective
from opsloop.monitoring.objectives.scores import Score, ScoresTaken

router = Router(tags=["monitoring"])


@router.get("/api/objectives")
def all_standings(uow: Reading) -> dict[str, Any]:
    """How the objectives of every endpoint stand."""
    return {"items": service.all_standings(uow), "next": None}


@router.get("/api/objectives/rules", response_class=PlainTextResponse)
def rules(uow: Reading) -> PlainTextResponse:
    """Recording and alerting rules for Prometheus, in YAML, of the same objectives."""
    return PlainTextResponse(prometheus.rules(prometheus.declared(uow)), media_type="application/yaml")


@router.get("/api/endpoints/{name}/objectives")
def standings(uow: Reading, name: str) -> dict[str, Any]:
    """How each objective stands; `declared` is null where the defaults hold."""
    return {"declared": service.declared(uow, name), "items": service.standings(uow, name)}


@router.put("/api/endpoints/{name}/objectives")
def declare(uow: Writing, name: str, objectives: Annotated[dict[str, Any], Body()]) -> dict[str, list[Objective]]:
    """Set the objectives, such as `{"availability": 0.999, "latency": {"within_ms": 500, "target": 0.99}}`."""
    return {"objectives": list(service.declare(uow, name, objectives))}


@router.delete("/api/endpoints/{name}/objectives")
def withdraw(uow: Writing, name: str) -> dict[str, list[Objective]]:
    """Go back to the defaults."""
    return {"objectives": list(service.withdraw(uow, name))}


class ScoreGiven(BaseModel):
    model_config = ConfigDict(extra="forbid")

    request_id: str
    value: float = Field(description="0 (bad) to 1 (good)")
    measure: Literal["quality", "privacy"] = "quality"
    evaluator: str = "default"
    passes_from: float = 0.5


class ScoresGiven(BaseModel):
    model_config = ConfigDict(extra="forbid")

    scores: list[ScoreGiven]


@router.post("/api/endpoints/{name}/scores")
def take_scores(uow: Writing, name: str, given: ScoresGiven) -> ScoresTaken:
    """Scores of answers in production, of whatever evaluates them; they feed the objectives quality and privacy."""
    return scores.take(uow, name, [Score(**each.model_dump()) for each in given.scores])
