"""`/usage`: what was used, by day, key, endpoint or model, as a chart, a table and a file."""

from __future__ import annotations

import csv
import io
import shlex
from dataclasses import fields
from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request
from fastapi.responses import Response

from opsloop.console import charts
from opsloop.console.page import Frame, page
from opsloop.console.page_router import PageRouter
from opsloop.core.errors import InvalidInput
from opsloop.core.web.dependencies import Reading
from opsloop.monitoring.usage import service
from opsloop.monitoring.usage.models import BY, By, UsageReport, Used

router = PageRouter()
Filter = Annotated[str, Query(max_length=200)]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@router.get("/usage")
def shown(
    request: Request,
    uow: Reading,
    by: By = "day",
    since: Annotated[str, Query(alias="from", max_length=20)] = "",
    until: Annotated[str, Query(alias="to", max_length=20)] = "",
    key: Filter = "",
    endpoint: Filter = "",
    model: Filter = "",
) -> Response:
    wishes = {"by": by, "from": since, "to": until, "key": key, "endpoint": endpoint, "model": model}
    given = {name: value for name, value in wishes.items() if value and (name, value) != ("by", "day")}
    found = _report(uow, by, wishes)
    days = found if by == "day" else _report(uow, "day", wishes)
    query = urlencode(given)
    cli = ["opsloop monitor usage", *(f"--{name} {shlex.quote(value)}" for name, value in given.items())]
    return page(
        request,
        "usage.html",
        Frame("Usage", json=f"/api/usage?{query}" if query else "/api/usage", cli=" ".join(cli)),
        found=found,
        given=wishes,
        ways={way: "/usage?" + urlencode({**given, "by": way}) for way in BY},
        file=f"/usage.csv?{query}" if query else "/usage.csv",
        lines=_charts(days),
    )


@router.get("/usage.csv")
def as_file(
    uow: Reading,
    by: By = "day",
    since: Annotated[str, Query(alias="from", max_length=20)] = "",
    until: Annotated[str, Query(alias="to", max_length=20)] = "",
    key: Filter = "",
    endpoint: Filter = "",
    model: Filter = "",
) -> Response:
    found = _report(uow, by, {"from": since, "to": until, "key": key, "endpoint": endpoint, "model": model})
    out = io.StringIO()
    rows = csv.writer(out)
    columns = [each.name for each in fields(Used)]
    rows.writerow([by, *columns[1:]])
    for used in found.items:
        rows.writerow([_cell(used.name), *(_plain(getattr(used, name)) for name in columns[1:])])
    name = f"usage-by-{by}-{found.since}-{found.until}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _report(uow: Reading, by: By, wishes: dict[str, str]) -> UsageReport:
    return service.report(
        uow,
        by=by,
        since=_day("from", wishes["from"]),
        until=_day("to", wishes["to"]),
        key=wishes["key"] or None,
        endpoint=wishes["endpoint"] or None,
        model=wishes["model"] or None,
    )


def _day(field: str, given: str) -> date | None:
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        raise InvalidInput(field=field, value=given, wanted="a day such as 2026-07-01") from None


def _charts(days: UsageReport) -> list[tuple[str, str, str]]:
    """Name, path and highest value of a line for each of three sums."""
    by_day = {each.name: each for each in days.items}
    count = (days.until - days.since).days + 1
    order = [by_day.get((days.since + timedelta(days=number)).isoformat()) for number in range(count)]
    wanted = {
        "Money": [each.cost_usd if each else 0.0 for each in order],
        "Tokens": [float(each.tokens_in + each.tokens_out) if each else 0.0 for each in order],
        "Requests": [float(each.requests) if each else 0.0 for each in order],
    }
    drawn = []
    for name, values in wanted.items():
        top = charts.nice_top(max(values))
        told = f"${top:,.6g}" if name == "Money" else f"{top:,.0f}"
        drawn.append((name, charts.path(values, top=top), told))
    return drawn


def _cell(text: str) -> str:
    """A spreadsheet runs what begins like a formula. Source: OWASP, "CSV Injection"."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _plain(value: object) -> str:
    return f"{value:.9f}" if isinstance(value, float) else str(value)
