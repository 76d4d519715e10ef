"""`/alerts`: what is wrong now and was of late, who is told, what is silenced."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Form, Query, Request
from fastapi.responses import Response

from opsloop.console.page import Frame, page, see_other
from opsloop.console.page_router import PageRouter
from opsloop.core.web.dependencies import Reading, Writing
from opsloop.monitoring.alerts import declaring, service, silencing
from opsloop.monitoring.alerts.models import AlertState

router = PageRouter()
MOST = 200


@router.get("/alerts")
def alerts(
    request: Request,
    uow: Reading,
    state: Literal["", "pending", "firing", "resolved"] = "",
    endpoint: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    wanted = AlertState(state) if state else None
    found = service.listed(uow, state=wanted, endpoint=endpoint.replace("\0", "") or None, limit=MOST)
    return page(
        request,
        "alerts.html",
        Frame("Alerts", cli=f"opsloop alert list{f' --state {state}' if state else ''}", json="/api/alerts"),
        found=found,
        firing=sum(each.state is AlertState.FIRING for each in found),
        state=state,
        endpoint=endpoint,
        channels=declaring.channels(uow),
        rules=declaring.declared_rules(uow),
        silences=silencing.current(uow),
        limit=MOST,
        now=uow.clock.now(),
    )


@router.post("/alerts/acknowledge")
def acknowledge(uow: Writing, alert: Annotated[str, Form(max_length=100)]) -> Response:
    """Say that somebody deals with it."""
    service.acknowledge(uow, alert)
    return see_other("/alerts")
