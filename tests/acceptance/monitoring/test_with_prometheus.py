"""Real Prometheus and Alertmanager: a fault is seen, told, and comes back in; an alert of ours is seen there."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.models.services import free_port
from tests.acceptance.up import Up, opsloop
from tests.deploy.prometheus import program

PROJECT = """\
project: small
endpoints:
  chat: {flow: echo}
alerts:
  channels:
    cluster: {alertmanager: "http://127.0.0.1:ALERTMANAGER"}
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
LONG_S = 90.0


@contextmanager
def running(*words: str) -> Iterator[None]:
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield
    finally:
        process.terminate()
        print(words[0], process.communicate(timeout=60)[0])  # pytest shows it where the test fails


def wait_until(found: Callable[[], Any], what: str) -> Any:
    pause = threading.Event()
    for _ in range(int(LONG_S / 0.25)):
        try:
            if result := found():
                return result
        except httpx.TransportError:
            pass
        pause.wait(0.25)
    raise AssertionError(f"{what} was not seen within {LONG_S} s")


def ask(url: str, question: str, *, times: int) -> None:
    with httpx.Client(base_url=url, trust_env=False, timeout=120) as http:
        for _ in range(times):
            http.post("/endpoints/chat/invoke", json={"inputs": {"question": question}})


@pytest.mark.slow
def test_a_fault_goes_all_the_way_round(tmp_path: Path) -> None:
    prometheus, alertmanager = program("prometheus"), program("prometheus-alertmanager", "alertmanager")
    amtool = program("amtool")
    ours, theirs, prom = free_port(), free_port(), free_port()
    project = tmp_path / "project"
    (project / "echo").mkdir(parents=True)
    (project / "opsloop.yaml").write_text(PROJECT.replace("ALERTMANAGER", str(theirs)))
    (project / "echo" / "flow.dag.yaml").write_text(FLOW)
    (project / "echo" / "echo.py").write_text(ECHO)
    up = Up(project, ours, "--no-demo")
    try:
        up.ready()
        applied = opsloop("apply", "--project", project, OPSLOOP_URL=up.url)
        assert applied.returncode == 0, applied.stderr
        key = opsloop("token", "create", "alertmanager", "--role", "developer", OPSLOOP_URL=up.url).stdout.strip()
        rules = opsloop("monitor", "rules", OPSLOOP_URL=up.url).stdout
        (tmp_path / "rules.yml").write_text(rules.replace("interval: 30s", "interval: 1s"))
        configs = configured(tmp_path, ours=ours, theirs=theirs, key=key)
        ask(up.url, "hello", times=5)
        with (
            running(
                alertmanager,
                f"--config.file={configs['alertmanager']}",
                f"--web.listen-address=127.0.0.1:{theirs}",
                f"--storage.path={tmp_path / 'am'}",
                "--cluster.listen-address=",
            ),
            running(
                prometheus,
                f"--config.file={configs['prometheus']}",
                f"--web.listen-address=127.0.0.1:{prom}",
                f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            ),
        ):
            query = f"http://127.0.0.1:{prom}/api/v1/query"
            wait_until(lambda: value(query, 'objective_events_total{outcome="good"}') == 5, "a scrape")
            ask(up.url, "break", times=20)
            with httpx.Client(base_url=up.url, trust_env=False) as http:
                told = wait_until(
                    lambda: [
                        each
                        for each in http.get("/api/alerts").json()["items"]
                        if each["source"] == "alertmanager" and each["state"] == "firing"
                    ],
                    "an alert of Prometheus",
                )
            assert {each["endpoint"] for each in told} == {"chat"}
            assert {each["rule"] for each in told} == {"ObjectiveBurns"}
            pushed = wait_until(lambda: _pushed(amtool, theirs), "an alert of ours in the Alertmanager")
            assert pushed["labels"]["endpoint"] == "chat"
            with httpx.Client(base_url=up.url, trust_env=False) as http:
                rules_seen = {each["rule"] for each in http.get("/api/alerts").json()["items"]}
            assert pushed["labels"]["alertname"] in rules_seen
            slo = opsloop("monitor", "slo", "chat", OPSLOOP_URL=up.url)
            assert slo.returncode == 6, slo.stdout + slo.stderr
    finally:
        up.kill()


def configured(folder: Path, *, ours: int, theirs: int, key: str) -> dict[str, Path]:
    documents = {
        "prometheus": {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(folder / "rules.yml")],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{theirs}"]}]}]},
            "scrape_configs": [
                {
                    "job_name": "opsloop",
                    "authorization": {"credentials": key},
                    "static_configs": [{"targets": [f"127.0.0.1:{ours}"]}],
                }
            ],
        },
        "alertmanager": {
            "route": {"receiver": "opsloop", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s"},
            "receivers": [
                {
                    "name": "opsloop",
                    "webhook_configs": [
                        {
                            "url": f"http://127.0.0.1:{ours}/webhooks/alertmanager",
                            "http_config": {"authorization": {"credentials": key}},
                        }
                    ],
                }
            ],
        },
    }
    files = {name: folder / f"{name}.yml" for name in documents}
    for name, document in documents.items():
        files[name].write_text(json.dumps(document))
    return files


def value(query: str, expression: str) -> float | None:
    answer = httpx.get(query, params={"query": expression}, trust_env=False)
    if answer.status_code == 503:  # it has not begun yet
        return None
    found = answer.json()["data"]["result"]
    return float(found[0]["value"][1]) if found else None


def _pushed(amtool: str, port: int) -> dict[str, Any] | None:
    words = [amtool, f"--alertmanager.url=http://127.0.0.1:{port}", "alert", "query", 'source="opsloop"', "-o", "json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return found[0] if found else None
