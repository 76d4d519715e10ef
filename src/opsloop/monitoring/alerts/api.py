"""HTTP: alerts, their rules, channels and silences, and what other systems tell."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Body, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from opsloop.core.notices.models import Delivery
from opsloop.core.web.body import RawBody
from opsloop.core.web.dependencies import Asking, Opened, Reading, Writing
from opsloop.core.web.json_body import decoded
from opsloop.core.web.router import Router
from opsloop.monitoring.alerts import declaring, intake, service, silencing
from opsloop.monitoring.alerts.models import Alert, AlertState, Declared, Silence

router = Router(tags=["alerts"])


class SilenceWanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    matchers: dict[str, str] = Field(description="such as {endpoint: support-chat}; * stands for anything")
    lasts_s: float = Field(3_600, description="seconds from now on")
    reason: str = Field(description="why, for the audit trail")


@router.get("/api/alerts")
def listed(
    uow: Reading,
    endpoint: str | None = None,
    state: AlertState | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> dict[str, Any]:
    """The newest first."""
    return {"items": service.listed(uow, endpoint=endpoint, state=state, limit=limit), "next": None}


@router.get("/api/alerts/rules")
def rules(uow: Reading) -> dict[str, Any]:
    """Every rule as it is declared; `{"off": true}` is a default that does not hold."""
    return {"items": declaring.declared_rules(uow), "next": None}


@router.put("/api/alerts/rules/{name}")
def declare_rule(uow: Writing, name: str, rule: Annotated[dict[str, Any] | Literal[False], Body()]) -> Declared:
    """Set a rule; `false` switches a default off."""
    return declaring.declare(uow, "rules", name, rule)


@router.delete("/api/alerts/rules/{name}", status_code=204)
def withdraw_rule(uow: Writing, name: str) -> Response:
    """Forget a rule; a default of the name holds again."""
    declaring.withdraw(uow, "rules", name)
    return Response(status_code=204)


@router.get("/api/alerts/channels")
def channels(uow: Reading) -> dict[str, Any]:
    """Where alerts are told; of an address only what may be shown."""
    items = [
        {
            "name": each.name,
            "form": each.form,
            "to": each.to,
            "severities": each.severities,
            "rules": each.rules,
            "endpoints": each.endpoints,
            "digest": digest,
        }
        for each, digest in declaring.channels_with_digests(uow)
    ]
    return {"items": items, "next": None}


@router.put("/api/alerts/channels/{name}")
def declare_channel(uow: Writing, name: str, channel: Annotated[dict[str, Any], Body()]) -> dict[str, str]:
    """Set a channel, such as `{"webhook": "https://…", "severities": ["page"]}`."""
    declaring.declare(uow, "channels", name, channel)
    return {"name": name}


@router.delete("/api/alerts/channels/{name}", status_code=204)
def withdraw_channel(uow: Writing, name: str) -> Response:
    declaring.withdraw(uow, "channels", name)
    return Response(status_code=204)


@router.post("/api/alerts/channels/{name}/test", status_code=202)
def test_channel(uow: Writing, name: str) -> Delivery:
    """Send a channel an alert that says it is a test; `/api/notices/{id}` tells what became of it."""
    return service.try_channel(uow, name)


@router.get("/api/alerts/silences")
def silences(uow: Reading) -> dict[str, Any]:
    """Silences that hold now."""
    return {"items": silencing.current(uow), "next": None}


@router.post("/api/alerts/silences", status_code=201)
def silence(uow: Writing, wanted: SilenceWanted) -> Silence:
    """Tell nobody of alerts that match."""
    return silencing.silence(uow, wanted.matchers, lasts_s=wanted.lasts_s, reason=wanted.reason)


@router.delete("/api/alerts/silences/{silence}")
def end_silence(uow: Writing, silence: str) -> Silence:
    return silencing.end(uow, silence)


@router.get("/api/alerts/{alert}")
def get(uow: Reading, alert: str) -> Alert:
    return service.get(uow, alert)


@router.post("/api/alerts/{alert}/acknowledge")
def acknowledge(uow: Writing, alert: str) -> Alert:
    """Say that somebody deals with it."""
    return service.acknowledge(uow, alert)


@router.post("/webhooks/alertmanager")
def alertmanager(workspace: Opened, caller: Asking, body: RawBody) -> dict[str, int]:
    """What Alertmanager tells its webhook receivers (version 4), with an API key as bearer token."""
    group = decoded(intake.decoder, body)
    with workspace.writing(caller) as uow:
        done = intake.take_in(uow, group)
    return {"firing": done.firing, "resolved": done.resolved, "own": done.own}
