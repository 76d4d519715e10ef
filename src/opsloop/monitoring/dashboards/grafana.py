"""The panels as a dashboard of Grafana (schema version 39, Grafana 10.4 and later)."""

from __future__ import annotations

import json
from typing import Any

from opsloop.monitoring.dashboards.panels import PANELS, Panel

_WIDE, _HIGH = 12, 8
_SOURCE = {"type": "prometheus", "uid": "${source}"}


def dashboard() -> str:
    """The dashboard in JSON; the data source and the endpoints are chosen on the page."""
    document = {
        "uid": "opsloop",
        "title": "Opsloop",
        "tags": ["opsloop"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_source(), _endpoint()]},
        "panels": [_panel(number, each) for number, each in enumerate(PANELS)],
    }
    return json.dumps(document, indent=2) + "\n"


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _endpoint() -> dict[str, Any]:
    return {
        "name": "endpoint",
        "label": "Endpoint",
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": "label_values(objective_events_total, endpoint)", "refId": "endpoints"},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.said,
        "datasource": _SOURCE,
        "gridPos": {"x": _WIDE * (number % 2), "y": _HIGH * (number // 2), "w": _WIDE, "h": _HIGH},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0 if panel.key != "budget" else None}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + at), "expr": each.expression, "legendFormat": each.legend, "datasource": _SOURCE}
            for at, each in enumerate(panel.queries)
        ],
    }
