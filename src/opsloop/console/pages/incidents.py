"""`/incidents` and `/incidents/{id}`: what broke, why, who deals with it, what it was."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Query, Request
from fastapi.responses import Response

from opsloop.console import live, words
from opsloop.console.page import Frame, Place, page, see_other, shape_of
from opsloop.console.page_router import PageRouter
from opsloop.core.web.dependencies import Reading, Writing
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import service
from opsloop.incidents.models import ClosedAs, Incident, IncidentState
from opsloop.remediation import service as remediations
from opsloop.remediation.models import Remediation

router = PageRouter()
LISTED = 200
SHOWN_SIGNALS = 200
SHOWN_REPAIRS = 50


@live.topic("incidents")
def look(uow: UnitOfWork, argument: str) -> live.Snapshot:
    """`incidents:open`, those in a state; `incidents:` all of them."""
    state = IncidentState(argument) if argument in list(IncidentState) else None
    return live.Snapshot({}, _shape(service.list_incidents(uow, state=state, limit=LISTED)))


@live.topic("incident")
def look_at_one(uow: UnitOfWork, argument: str) -> live.Snapshot:
    return live.Snapshot({}, _shape_of_one(uow, service.get(uow, argument)))


def _shape(found: list[Incident]) -> str:
    return shape_of([(each.id, each.state, each.signal_count, each.severity) for each in found])


def _shape_of_one(uow: UnitOfWork, found: Incident) -> str:
    now = uow.clock.now()
    repairs = [(each.id, each.stands(now)) for each in _repairs(uow, found)]
    return shape_of([found.state, found.signal_count, len(found.timeline), len(found.suspects), repairs])


def _repairs(uow: UnitOfWork, found: Incident) -> list[Remediation]:
    return remediations.listed(uow, incident=found.id, limit=SHOWN_REPAIRS)


@router.get("/incidents")
def listed(
    request: Request,
    uow: Reading,
    state: IncidentState | None = None,
    before: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    found = service.list_incidents(uow, state=state, before=before or None, limit=LISTED)
    chosen = state.value if state is not None else ""
    frame = Frame(
        "Incidents",
        cli=f"opsloop incident list --state {chosen}" if chosen else "opsloop incident list",
        json=f"/api/incidents?state={chosen}" if chosen else "/api/incidents",
        topics=() if before else (f"incidents:{chosen}",),
        shape="" if before else _shape(found),
    )
    return page(
        request,
        "incidents.html",
        frame,
        incidents=found,
        state=chosen,
        states=[each.value for each in IncidentState],
        older=found[-1].id if len(found) == LISTED else "",
        now=uow.clock.now(),
    )


@router.get("/incidents/{incident}")
def shown(
    request: Request,
    uow: Reading,
    incident: str,
    proposed: Annotated[int | None, Query(ge=0, le=1_000)] = None,
) -> Response:
    """Args: proposed: how many repairs a look that somebody just asked for found."""
    found, now = service.get(uow, incident), uow.clock.now()
    frame = Frame(
        found.title,
        trail=(Place("Incidents", "/incidents"),),
        cli=f"opsloop incident show {found.id}",
        json=f"/api/incidents/{words.segment(found.id)}",
        topics=() if found.state is IncidentState.CLOSED else (f"incident:{found.id}",),
        shape=_shape_of_one(uow, found),
    )
    return page(
        request,
        "incident.html",
        frame,
        incident=found,
        signals=found.signals[:SHOWN_SIGNALS],
        repairs=[(each, each.stands(now)) for each in _repairs(uow, found)],
        proposed=proposed,
        now=now,
    )


@router.post("/incidents/{incident}/acknowledge")
def acknowledge(uow: Writing, incident: str) -> Response:
    """Raises: Denied, NotFound, IncidentIsClosed."""
    service.acknowledge(uow, incident)
    return _back(incident)


@router.post("/incidents/{incident}/note")
def note(uow: Writing, incident: str, text: Annotated[str, Form(max_length=20_000)] = "") -> Response:
    """Raises: Denied, NotFound, InvalidInput."""
    service.note(uow, incident, text.replace("\r\n", "\n"))
    return _back(incident)


@router.post("/incidents/{incident}/close")
def close(
    uow: Writing,
    incident: str,
    closed_as: Annotated[ClosedAs, Form()],
    suspect: Annotated[str, Form(max_length=2_000)] = "",
    cause: Annotated[str, Form(max_length=20_000)] = "",
) -> Response:
    """Words go before a chosen suspect. Raises: Denied, NotFound, IncidentIsClosed, InvalidInput."""
    service.close(uow, incident, closed_as=closed_as, cause=cause.replace("\r\n", "\n") if cause.strip() else suspect)
    return _back(incident)


def _back(incident: str) -> Response:
    return see_other(f"/incidents/{words.segment(incident)}")
