"""HTTP: dashboards."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from opsloop.core.web.dependencies import Reading
from opsloop.core.web.router import Router
from opsloop.monitoring.dashboards import grafana, series
from opsloop.monitoring.dashboards.models import Dashboard

router = Router(tags=["monitoring"])


@router.get("/api/dashboards")
def dashboard(
    uow: Reading,
    endpoint: str | None = None,
    window: Annotated[int, Query(description="seconds until now: 3600, 21600, 86400, 604800 or 2592000")] = 21_600,
) -> Dashboard:
    """Traffic, errors, latency, tokens, drift, satisfaction and quality, of one endpoint or of all together."""
    return series.read(uow, endpoint, window)


@router.get("/api/dashboards/grafana", response_class=Response)
def for_grafana(uow: Reading) -> Response:
    """The same panels as a dashboard to import into Grafana."""
    return Response(grafana.dashboard(), media_type="application/json")
