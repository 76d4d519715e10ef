"""The rules for Prometheus are those of the objectives, load, and fire when they should."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.monitoring.objectives import prometheus, service
from tests.deploy.prometheus import program, run

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "prometheus" / "opsloop.rules.yml"
GOOD = 'objective_events_total{endpoint="chat",measure="availability",outcome="good"}'
BAD = 'objective_events_total{endpoint="chat",measure="availability",outcome="bad"}'


def test_the_file_is_what_the_defaults_say() -> None:
    assert FILE.read_text() == prometheus.rules(prometheus.defaults())


def test_promtool_takes_the_rules_of_declared_objectives(
    sqlite_workspace: Workspace, admin: Caller, tmp_path: Path
) -> None:
    with sqlite_workspace.writing(admin) as uow:
        service.declare(
            uow, "chat", {"availability": 0.99, "latency": [{"within_ms": 500, "target": 0.9}], "quality": 0.8}
        )
        service.declare(uow, 'odd "name" \\ (x)', {"mean_latency": {"within_ms": 700}})
    with sqlite_workspace.reading(admin) as uow:
        text = prometheus.rules(prometheus.declared(uow))
    file = tmp_path / "rules.yml"
    file.write_text(text)
    assert "SUCCESS" in run(program("promtool"), "check", "rules", str(file))
    assert 'endpoint!~\\"chat|odd' in text  # the defaults leave out who has objectives of their own


@pytest.mark.parametrize(
    ("good", "bad", "at", "windows"),
    [
        ("0+600x120", "0+20x120", "1h", ["1d", "1h", "3d", "6h"]),  # 3.2 % fail, all the time
        ("0+600x120", "0+0x120", "1h", []),
        ("0+600x120", "0+20x10 200+0x110", "1h", ["1d", "3d"]),  # it was over 50 minutes ago
        ("0+1x120", "0+0x50 1+0x70", "1h", []),  # one failed: not enough to say so
    ],
)
def test_the_rules_fire_when_they_should(tmp_path: Path, good: str, bad: str, at: str, windows: list[str]) -> None:
    alerts = [
        {
            "exp_labels": {
                "endpoint": "chat", "objective": "availability", "window": window,
                "severity": "page" if window in ("1h", "6h") else "ticket",
            },
            "exp_annotations": _annotations(window),
        }
        for window in windows
    ]  # fmt: skip
    test = {
        "rule_files": [str(FILE)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": GOOD, "values": good}, {"series": BAD, "values": bad}],
                "alert_rule_test": [{"eval_time": at, "alertname": "ObjectiveBurns", "exp_alerts": alerts}],
            }
        ],
    }
    file = tmp_path / "test.yml"
    file.write_text(json.dumps(test))
    run(program("promtool"), "test", "rules", str(file))


def _annotations(window: str) -> dict[str, str]:
    pairs = {"1h": ("14.4", "5 min"), "6h": ("6", "30 min"), "1d": ("3", "2 h"), "3d": ("1", "6 h")}
    (rate, short), long = pairs[window], f"{window[:-1]} {window[-1]}"
    described = f"More than {rate} times the share that may be bad (0.1 %) over {long} and over {short}."
    return {"summary": "chat misses its objective availability", "description": described}
