"""`/limits`: what keys and endpoints may use, and what they have used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from opsloop.console.page import Frame, page
from opsloop.core.web.dependencies import Reading
from opsloop.limits import service
from opsloop.limits.models import NANO, LimitState, Meter, Scope, Use

router = APIRouter(include_in_schema=False)
WHAT = {
    Meter.REQUESTS: "Requests this minute",
    Meter.TOKENS: "Tokens this minute",
    Meter.CONCURRENT: "Requests under way",
    Meter.DAY: "Money today",
    Meter.MONTH: "Money this month",
}
EACH_KEY = "each key without a limit"


@dataclass(frozen=True, slots=True)
class Line:
    """One meter of somebody. `used_pct` is of the limit, from 0 to 100; `tone` colours its bar."""

    who: str
    what: str
    used: str
    held: str
    limit: str
    used_pct: float
    tone: str
    resets_at: datetime | None


@router.get("/limits")
def shown(request: Request, uow: Reading) -> Response:
    states, uses = service.listed(uow), service.used(uow)
    frame = Frame("Limits", json="/api/limits", cli="opsloop token limits")
    return page(request, "limits.html", frame, lines=lines(states, uses), now=uow.clock.now())


def lines(states: Sequence[LimitState], uses: Sequence[Use]) -> list[Line]:
    """Every limit with what is used of it, and the use of the keys that the default limit holds for."""
    by_subject = {(each.scope, each.name, each.meter): each for each in uses}
    found = []
    own = {each.name for each in states if each.scope is Scope.KEY}
    for state in states:
        names = [state.name]
        if state.scope is Scope.DEFAULT:
            names += sorted({each.name for each in uses if each.scope is Scope.KEY} - own)
        for name in names:
            scope = Scope.KEY if state.scope is Scope.DEFAULT and name else state.scope
            for meter in Meter:
                if (most := state.limit.most(meter)) is not None:
                    found.append(_line(scope, name, meter, most, by_subject.get((scope, name, meter))))
    return found


def _line(scope: Scope, name: str, meter: Meter, most: int, use: Use | None) -> Line:
    limit = most / NANO if meter.is_money else most
    used = use.used if use is not None else 0.0
    is_told = scope is not Scope.DEFAULT
    share = min(1.0, used / limit) if limit else 1.0
    return Line(
        who=f"{scope} {name}" if is_told else EACH_KEY,
        what=WHAT[meter],
        used=_shown(used, meter) if is_told else "",
        held=_shown(use.held, meter) if use is not None and use.held else "",
        limit=_shown(limit, meter),
        used_pct=100 * share if is_told else 0.0,
        tone="bad" if share >= 1 and is_told else "fill",
        resets_at=use.resets_at if use is not None else None,
    )


def _shown(amount: float, meter: Meter) -> str:
    if not meter.is_money:
        return f"{amount:,.0f}"
    return f"${amount:,.2f}" if amount >= 0.01 or amount == 0 else f"${amount:,.6f}"
