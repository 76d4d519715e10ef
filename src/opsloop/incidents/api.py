"""HTTP: incidents, what detectors learned, and what other systems tell."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from opsloop.core.web.body import RawBody
from opsloop.core.web.dependencies import Asking, Opened, Reading, Writing
from opsloop.core.web.router import Router
from opsloop.incidents import service
from opsloop.incidents.anomalies import service as anomalies
from opsloop.incidents.intake.message import Source
from opsloop.incidents.intake.receiving import receive
from opsloop.incidents.intake.registry import SOURCES
from opsloop.incidents.learning import detectors, standing
from opsloop.incidents.learning.models import Detector
from opsloop.incidents.logs import watching as log_watching
from opsloop.incidents.models import ClosedAs, Incident, IncidentState, TakenIn
from opsloop.incidents.postmortem import html, markdown

router = Router(tags=["incidents"])


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str


class Closing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    closed_as: ClosedAs = Field(description="what it was: `cause`, `false alarm` or `other`")
    cause: str = Field("", description="in words, or the name of a suspect; needed unless it was a false alarm")


@router.get("/api/incidents")
def listed(
    uow: Reading,
    state: IncidentState | None = None,
    endpoint: str | None = None,
    going_on: Annotated[bool, Query(description="only those that are not closed")] = False,
    before: Annotated[str | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> dict[str, Any]:
    """The newest first, without their signals and timelines."""
    found = service.list_incidents(uow, state=state, endpoint=endpoint, going_on=going_on, before=before, limit=limit)
    return {"items": found, "next": found[-1].id if len(found) == limit else None}


@router.get("/api/incidents/detectors")
def learned(uow: Reading) -> dict[str, Any]:
    """What finds signals, and how often it was called a false alarm."""
    return {"items": detectors.listed(uow), "next": None}


@router.post("/api/incidents/detectors/{mark}/forgive")
def forgive(uow: Writing, mark: str) -> Detector:
    """Let a detector's signals open incidents at once again."""
    return detectors.forgive(uow, mark)


@router.get("/api/detectors")
def watching(uow: Reading) -> dict[str, Any]:
    """What finds signals, how often it was right, and which metrics and logs are watched."""
    watches = {"metrics": anomalies.watches(uow), "logs": log_watching.watches(uow)}
    return {"items": standing.standings(uow), "watches": watches, "next": None}


@router.post("/api/detectors/{mark}/mute")
def mute(uow: Writing, mark: str) -> Detector:
    """Let a detector's signals open and join no incident, until it is forgiven."""
    return detectors.mute(uow, mark)


@router.get("/api/incidents/{incident}")
def get(uow: Reading, incident: str) -> Incident:
    """An incident with its signals, its timeline and closed ones that are like it."""
    return service.get(uow, incident)


@router.get("/api/incidents/{incident}/report")
def report(uow: Reading, incident: str, format: Literal["html", "md"] = "md") -> Response:
    """A draft of its postmortem: one file that needs nothing else."""
    found = service.get(uow, incident)
    if format == "html":
        return Response(html.of(found, now=uow.clock.now()), media_type="text/html")
    return Response(markdown.of(found, now=uow.clock.now()), media_type="text/markdown")


@router.post("/api/incidents/{incident}/acknowledge")
def acknowledge(uow: Writing, incident: str) -> Incident:
    """Say that somebody deals with it."""
    return service.acknowledge(uow, incident)


@router.post("/api/incidents/{incident}/notes")
def note(uow: Writing, incident: str, body: Note) -> Incident:
    """Write a note into the timeline."""
    return service.note(uow, incident, body.text)


@router.post("/api/incidents/{incident}/close")
def close(uow: Writing, incident: str, body: Closing) -> Incident:
    """Say what it was."""
    return service.close(uow, incident, closed_as=body.closed_as, cause=body.cause)


def _hook(source: Source) -> None:
    """One route of its own for each: other slices have webhooks too."""

    @router.post(f"/webhooks/{source.name}", name=source.name)
    def told(workspace: Opened, caller: Asking, request: Request, body: RawBody) -> TakenIn:
        """What it tells, with its signature or token, or with an API key; stored before it is answered."""
        return receive(workspace, source, request.headers, body, by=caller)


for each in SOURCES.values():
    _hook(each)
