"""HTTP: remediations, what playbooks may do, and the kill switch."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from opsloop.core.web.dependencies import Asking, Opened, Reading, Writing
from opsloop.core.web.router import Router
from opsloop.remediation import autonomy, halts, service
from opsloop.remediation.models import Halt, Remediation, State

router = Router(tags=["remediations"])


class Yes(BaseModel):
    model_config = ConfigDict(extra="forbid")

    digest: str = Field(min_length=16, max_length=64, description="of what was shown: `digest` of the remediation")
    reason: str = ""


class No(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str
    digest: str = Field("", max_length=64, description="of what was shown; empty: whatever it is now")


class Why(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str


class Rehearsal(BaseModel):
    model_config = ConfigDict(extra="forbid")

    playbook: str
    parameters: dict[str, Any] = Field(description="of the playbook's action, such as {endpoint, release}")


@router.get("/api/remediations")
def listed(
    uow: Reading,
    state: State | None = None,
    incident: str | None = None,
    endpoint: str | None = None,
    waiting: Annotated[bool, Query(description="only those that a yes would make act")] = False,
    before: Annotated[str | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> dict[str, Any]:
    """The newest first."""
    found = service.listed(
        uow, state=state, incident=incident, endpoint=endpoint, waiting=waiting, before=before, limit=limit
    )
    return {"items": found, "next": found[-1].id if len(found) == limit else None}


@router.get("/api/remediations/playbooks")
def playbooks(uow: Reading) -> dict[str, Any]:
    """What each playbook may do here, what it achieved, and what it lacks for more."""
    return {"items": autonomy.standings(uow), "next": None}


@router.get("/api/remediations/halt")
def halted(uow: Reading) -> dict[str, Any]:
    """Whether repairs are halted."""
    return {"halt": halts.present(uow)}


@router.post("/api/remediations/halt")
def halt(uow: Writing, body: Why) -> Halt:
    """Let nothing act any more."""
    return halts.begin(uow, reason=body.reason)


@router.post("/api/remediations/resume")
def resume(uow: Writing) -> Halt:
    """Let repairs act again."""
    return halts.end(uow)


@router.post("/api/remediations/rehearse", status_code=202)
def rehearse(workspace: Opened, caller: Asking, body: Rehearsal) -> Remediation:
    """Do a playbook's action and take it back at once, so that its undo is known to work here."""
    return service.rehearse(workspace, caller, body.playbook, body.parameters)


@router.post("/api/incidents/{incident}/remediations")
def propose(workspace: Opened, caller: Asking, incident: str) -> dict[str, Any]:
    """Look again for what could be done about an incident; what is new is answered."""
    return {"items": service.propose(workspace, caller, incident), "next": None}


@router.get("/api/remediations/{remediation}")
def get(uow: Reading, remediation: str) -> Remediation:
    return service.get(uow, remediation)


@router.post("/api/remediations/{remediation}/approve")
def approve(uow: Writing, remediation: str, body: Yes) -> Remediation:
    """Say yes to what was shown; it acts once enough people did."""
    return service.approve(uow, remediation, digest=body.digest, reason=body.reason)


@router.post("/api/remediations/{remediation}/reject")
def reject(uow: Writing, remediation: str, body: No) -> Remediation:
    """Say no; it never acts."""
    return service.reject(uow, remediation, reason=body.reason, digest=body.digest)


@router.post("/api/remediations/{remediation}/undo")
def undo(uow: Writing, remediation: str, body: Why) -> Remediation:
    """Have it taken back, whatever its checks say."""
    return service.undo(uow, remediation, reason=body.reason)


@router.post("/api/remediations/{remediation}/renew")
def renew(workspace: Opened, caller: Asking, remediation: str) -> Remediation:
    """Ask again with what is true now."""
    return service.renew(workspace, caller, remediation)
