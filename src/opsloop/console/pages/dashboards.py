"""`/dashboards`: the panels that Grafana shows too, from our own store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request
from fastapi.responses import Response

from opsloop.console import charts, words
from opsloop.console.page import Frame, page
from opsloop.console.page_router import PageRouter
from opsloop.core.errors import NotFound
from opsloop.core.web.dependencies import Reading
from opsloop.monitoring.dashboards import series
from opsloop.monitoring.dashboards.models import PanelSeries
from opsloop.monitoring.objectives import service as objectives

router = PageRouter()
WINDOWS = {3_600: "1 hour", 21_600: "6 hours", 86_400: "1 day", 604_800: "7 days", 2_592_000: "30 days"}


def form_of(key: str) -> Callable[[float | None], str]:
    """How a figure of a panel is written."""
    if key == "latency":
        return words.milliseconds
    if key in ("errors", "satisfaction", "quality"):
        return words.percent
    return words.rate if key == "requests" else lambda value: words.NONE if value is None else words.plain(value)


def _has_any(panel: PanelSeries) -> bool:
    return any(value is not None for line in panel.lines for value in line.values)


@router.get("/dashboards")
def dashboards(
    request: Request,
    uow: Reading,
    endpoint: Annotated[str, Query(max_length=100)] = "",
    window: int = 21_600,
) -> Response:
    names = objectives.endpoints(uow)
    if endpoint and endpoint not in names:
        raise NotFound(noun="endpoint with figures", name=endpoint)
    found = series.read(uow, endpoint or None, window)
    shown = [charts.panel_chart(panel) for panel in found.panels if _has_any(panel)]
    wanted = urlencode({**({"endpoint": endpoint} if endpoint else {}), "window": window})
    return page(
        request,
        "dashboards.html",
        Frame(
            "Dashboards",
            cli=f"opsloop monitor dashboard {f'{endpoint} ' if endpoint else ''}--window {window}",
            json=f"/api/dashboards?{wanted}",
        ),
        names=names,
        endpoint=endpoint,
        window=window,
        windows=WINDOWS,
        found=found,
        charts=shown,
        form_of=form_of,
        standings=objectives.standings(uow, endpoint) if endpoint else objectives.all_standings(uow),
    )
