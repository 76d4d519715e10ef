"""Real Prometheus and Alertmanager: a fault is seen, told, and comes back in; an alert of ours is seen there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.models.services import free_port
from tests.acceptance.prometheus import Watchers, wait_until
from tests.acceptance.up import Up, opsloop

PROJECT = """\
project: small
endpoints:
  chat: {flow: echo}
alerts:
  channels:
    cluster: {alertmanager: "ALERTMANAGER"}
"""
FLOW = """\
inputs:
  question: {type: string, is_chat_input: true}
outputs:
  answer: {type: string, reference: "${echo.output}", is_chat_output: true}
nodes:
- name: echo
  type: python
  source: {type: code, path: echo.py}
  inputs: {question: "${inputs.question}"}
"""
ECHO = """\
from promptflow.core import tool


@tool
def echo(question: str) -> str:
    if question == "break":
        raise RuntimeError("broken on purpose")
    return question
"""


def ask(url: str, question: str, *, times: int) -> None:
    with httpx.Client(base_url=url, trust_env=False, timeout=20) as http:
        for _ in range(times):
            http.post("/endpoints/chat/invoke", json={"inputs": {"question": question}})


@pytest.mark.slow
def test_a_fault_goes_all_the_way_round(tmp_path: Path, watchers: Watchers) -> None:
    project = tmp_path / "project"
    (project / "echo").mkdir(parents=True)
    (project / "opsloop.yaml").write_text(PROJECT.replace("ALERTMANAGER", watchers.alertmanager_url))
    (project / "echo" / "flow.dag.yaml").write_text(FLOW)
    (project / "echo" / "echo.py").write_text(ECHO)
    up = Up(project, free_port(), "--no-demo")
    try:
        up.ready()
        applied = opsloop("apply", "--project", project, OPSLOOP_URL=up.url)
        assert applied.returncode == 0, applied.stderr
        ask(up.url, "hello", times=5)
        with (
            watchers.looking_at(up, rules=lambda rules: rules.replace("interval: 30s", "interval: 1s")),
            httpx.Client(base_url=up.url, trust_env=False) as http,
        ):
            wait_until(lambda: watchers.value('objective_events_total{outcome="good"}') == 5, "a scrape")
            ask(up.url, "break", times=20)
            told = wait_until(lambda: _firing(http), "an alert of Prometheus")
            assert {each["endpoint"] for each in told} == {"chat"}
            assert {each["rule"] for each in told} == {"ObjectiveBurns"}
            [pushed, *_] = wait_until(
                lambda: watchers.alerts('source="opsloop"'), "an alert of ours in the Alertmanager"
            )
            assert pushed["labels"]["endpoint"] == "chat"
            assert pushed["labels"]["alertname"] in {each["rule"] for each in http.get("/api/alerts").json()["items"]}
            slo = opsloop("monitor", "slo", "chat", OPSLOOP_URL=up.url)
            assert slo.returncode == 6, slo.stdout + slo.stderr
    finally:
        up.kill()


def _firing(http: httpx.Client) -> list[dict[str, Any]]:
    """Alerts of the Alertmanager that we were told."""
    items: list[dict[str, Any]] = http.get("/api/alerts").json()["items"]
    return [each for each in items if each["source"] == "alertmanager" and each["state"] == "firing"]
