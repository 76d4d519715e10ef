"""The dashboard for Grafana is that of the panels, and Prometheus reads every expression of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from docs._reference import metrics
from opsloop.monitoring.dashboards import grafana
from opsloop.monitoring.dashboards.panels import PANELS
from tests.deploy.prometheus import program, run

FILE = Path(__file__).parents[2] / "deploy" / "grafana" / "opsloop.json"
_METRIC = re.compile(r"\b[a-z_]+(?=\{)")


def test_the_file_is_what_the_panels_say() -> None:
    assert FILE.read_text() == grafana.dashboard()


def test_promtool_reads_every_expression(tmp_path: Path) -> None:
    document = json.loads(grafana.dashboard())
    expressions = [target["expr"] for panel in document["panels"] for target in panel["targets"]]
    rules = [
        {"record": f"panel:{number}", "expr": each.replace("$endpoint", ".*").replace("$__rate_interval", "5m")}
        for number, each in enumerate(expressions)
    ]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(expressions)} rules found" in run(program("promtool"), "check", "rules", str(file))


def test_every_expression_names_metrics_that_exist() -> None:
    named = {name for panel in PANELS for query in panel.queries for name in _METRIC.findall(query.expression)}
    assert named
    assert named - metrics.names() == set()


def test_panels_do_not_lie_on_each_other() -> None:
    document = json.loads(grafana.dashboard())
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in document["panels"]]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in document["panels"]}) == len(places)
