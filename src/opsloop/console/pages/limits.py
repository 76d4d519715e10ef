"""`/limits`: what keys and endpoints may use, and what they have used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import Response

from opsloop.console.page import Frame, page, see_other
from opsloop.console.page_router import PageRouter
from opsloop.core.errors import InvalidInput
from opsloop.core.web.dependencies import Reading, Writing
from opsloop.limits import service
from opsloop.limits.models import NANO, Limit, LimitState, Meter, Scope, Use

router = PageRouter()
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
    return page(request, "limits.html", frame, lines=lines(states, uses), states=states, now=uow.clock.now())


@router.post("/limits")
def put(
    uow: Writing,
    scope: Annotated[Scope, Form()],
    name: Annotated[str, Form(max_length=200)] = "",
    requests_per_minute: Annotated[str, Form(max_length=20)] = "",
    tokens_per_minute: Annotated[str, Form(max_length=20)] = "",
    concurrent: Annotated[str, Form(max_length=20)] = "",
    usd_per_day: Annotated[str, Form(max_length=20)] = "",
    usd_per_month: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Set a limit in the place of what was set before; what is left empty is not limited."""
    limit = Limit(
        _whole("requests_per_minute", requests_per_minute),
        _whole("tokens_per_minute", tokens_per_minute),
        _whole("concurrent", concurrent),
        _dollars("usd_per_day", usd_per_day),
        _dollars("usd_per_month", usd_per_month),
    )
    service.put(uow, scope, name.strip(), limit)
    return see_other("/limits")


@router.post("/limits/remove")
def remove(uow: Writing, scope: Annotated[Scope, Form()], name: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Limit somebody no more."""
    service.remove(uow, scope, name)
    return see_other("/limits")


def _whole(field: str, given: str) -> int | None:
    if not given.strip():
        return None
    if not (given.strip().isascii() and given.strip().isdecimal()):
        raise InvalidInput(field=field, value=given, wanted="a whole number, or nothing")
    return int(given)


def _dollars(field: str, given: str) -> float | None:
    try:
        return float(given) if given.strip() else None
    except ValueError:
        raise InvalidInput(field=field, value=given, wanted="US dollars as a number, or nothing") from None


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
