"""What endpoints answer: traffic and the records of requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from opsloop.client.connection import Connection, path
from opsloop.monitoring.dashboards.models import Dashboard
from opsloop.monitoring.models import RequestRecord, Traffic, TrafficPoint


@dataclass(frozen=True, slots=True)
class TrafficReport:
    """An endpoint's figures over a window, and the points of a chart."""

    summary: Traffic
    series: tuple[TrafficPoint, ...]


class Monitoring:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def traffic(self, endpoint: str, *, window_s: int = 300, points: int = 60) -> TrafficReport:
        at = path("api", "endpoints", endpoint, "traffic")
        return self._connection.get(at, TrafficReport, window=window_s, points=points)

    def requests(
        self,
        *,
        endpoint: str | None = None,
        request_id: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[RequestRecord]:
        """The newest first."""
        query: dict[str, Any] = {"endpoint": endpoint, "request_id": request_id, "before": before, "limit": limit}
        return self._connection.items("/api/requests", RequestRecord, **query)

    def dashboard(self, *, endpoint: str | None = None, window_s: int = 21_600) -> Dashboard:
        return self._connection.get("/api/dashboards", Dashboard, endpoint=endpoint, window=window_s)

    def grafana_dashboard(self) -> str:
        """The same panels, to import into Grafana."""
        return self._connection.raw("/api/dashboards/grafana").decode()
