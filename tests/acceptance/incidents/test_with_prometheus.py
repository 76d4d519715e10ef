"""Real Prometheus and Alertmanager open an incident when an endpoint's model server fails, and end it when it heals."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from opsloop.testing.model_server import ModelServer
from tests.acceptance.models.services import free_port
from tests.acceptance.prometheus import Watchers, wait_until
from tests.acceptance.up import Up, opsloop

# Prometheus judges the objectives here: what the platform itself would say of them would open the incident first.
PROJECT = """\
project: small
endpoints:
  chat: {flow: asks}
alerts:
  rules: {objective-burns: false, objective-broken: false, provider-down: false}
"""
FLOW = """\
inputs:
  question: {type: string, is_chat_input: true}
outputs:
  answer: {type: string, reference: "${ask.output}", is_chat_output: true}
nodes:
- name: ask
  type: llm
  source: {type: code, path: ask.jinja2}
  inputs: {question: "${inputs.question}", model: small}
  api: chat
"""
ASK = "user:\n{{question}}\n"
FAILS = [{"status": 401, "message": "this key was revoked"}]


@contextmanager
def asking(url: str) -> Iterator[None]:
    """Somebody who asks the endpoint ten times a second."""
    stop = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=url, trust_env=False, timeout=120) as http:
            for number in itertools.count():
                http.post("/endpoints/chat/invoke", json={"inputs": {"question": f"question {number}"}})
                if stop.wait(0.1):
                    return

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.slow
def test_a_model_server_that_fails_opens_an_incident_and_its_return_mitigates_it(
    tmp_path: Path, watchers: Watchers
) -> None:
    project = tmp_path / "project"
    (project / "asks").mkdir(parents=True)
    (project / "opsloop.yaml").write_text(PROJECT)
    (project / "asks" / "flow.dag.yaml").write_text(FLOW)
    (project / "asks" / "ask.jinja2").write_text(ASK)
    with ModelServer() as model:
        up = Up(project, free_port(), "--no-demo", **model.environment)
        try:
            up.ready()
            applied = opsloop("apply", "--project", project, OPSLOOP_URL=up.url)
            assert applied.returncode == 0, applied.stderr
            with (
                watchers.looking_at(up, rules=_fast),
                asking(up.url),
                httpx.Client(base_url=up.url, trust_env=False, timeout=120) as http,
            ):
                # Long enough that what is usual is known.
                good = 'objective_events_total{outcome="good"} > 250'
                wait_until(lambda: watchers.value(good), "good answers")
                assert http.get("/api/incidents").json()["items"] == []

                model.follow(FAILS)
                opened = wait_until(lambda: http.get("/api/incidents").json()["items"], "an incident")
                assert opened[0]["subjects"][0] == "endpoint:chat"
                incident = f"/api/incidents/{opened[0]['id']}"
                explained = wait_until(lambda: _with_suspects(http, incident), "suspects")
                assert "alertmanager" in {each["source"] for each in explained["signals"]}
                assert {each["subject"]["endpoint"] for each in explained["signals"]} == {"chat"}

                assert explained["impact"][0]["failed"] > 0
                [suspect] = [each for each in explained["suspects"] if each["name"].startswith("provider/")]
                assert suspect["name"] == f"provider/127.0.0.1:{model.port}"
                assert "error rate" in " ".join(suspect["evidence"])

                model.follow([])
                over = wait_until(lambda: _in_state(http, incident, "mitigated"), "its end")
                assert all(each["ended_at"] for each in over["signals"])
                assert len(http.get("/api/incidents").json()["items"]) == 1
        finally:
            up.kill()


def _fast(rules: str) -> str:
    """Every interval at a second, and what they look back on at ten."""
    return re.sub(r"\[(5m|30m|1h|2h|6h|1d|3d)\]", "[10s]", rules.replace("interval: 30s", "interval: 1s"))


def _with_suspects(http: httpx.Client, incident: str) -> dict[str, Any] | None:
    found: dict[str, Any] = http.get(incident).json()
    return found if any(each["kind"] == "suspect" for each in found["timeline"]) and found["impact"] else None


def _in_state(http: httpx.Client, incident: str, state: str) -> dict[str, Any] | None:
    found: dict[str, Any] = http.get(incident).json()
    if found["state"] == state:
        return found
    print([(each["name"], each["source"], each["labels"]) for each in _going_on(found)])  # shown where the test fails
    return None


def _going_on(incident: dict[str, Any]) -> list[dict[str, Any]]:
    return [each | each["subject"] for each in incident["signals"] if each["ended_at"] is None]
