"""`/slo`: the objectives of every endpoint, and what is left of their budgets."""

from __future__ import annotations

from typing import Literal

from fastapi import Request
from fastapi.responses import Response

from opsloop.console.page import Frame, page
from opsloop.console.page_router import PageRouter
from opsloop.core.web.dependencies import Reading
from opsloop.monitoring.objectives import service
from opsloop.monitoring.objectives.models import State

router = PageRouter()
_WORST_FIRST = (State.BROKEN, State.BURNING, State.NOT_ENOUGH, State.MET, State.NO_DATA)


@router.get("/slo")
def objectives(request: Request, uow: Reading, only: Literal["", "missed"] = "") -> Response:
    found = sorted(service.all_standings(uow), key=lambda each: _WORST_FIRST.index(each.state))
    missed = [each for each in found if each.state in (State.BROKEN, State.BURNING)]
    return page(
        request,
        "slo.html",
        Frame("Objectives", cli="opsloop monitor slo", json="/api/objectives"),
        found=found,
        shown=missed if only else found,
        only=only,
        broken=sum(each.state is State.BROKEN for each in found),
        burning=sum(each.state is State.BURNING for each in found),
    )
