"""One flow as a service, over real HTTP from a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from opsloop.flows.formats import flow_file
from opsloop.server.flow_service import described

DAG = """
inputs: {question: {type: string, is_chat_input: true}, top: {type: int, default: 3}}
outputs: {answer: {type: string, reference: "${answer.output}", is_chat_output: true}}
nodes:
- name: answer
  type: python
  source: {path: answer.py}
  inputs: {question: "${inputs.question}", top: "${inputs.top}"}
"""
CODE = """
from promptflow.core import tool

@tool
def answer(question: str, top: int):
    if question == "fail":
        raise RuntimeError("a secret of the flow")
    for word in question.split():
        yield f"{word}{top} "
"""
Start = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "flow.dag.yaml").write_text(DAG)
    (tmp_path / "answer.py").write_text(CODE)
    return tmp_path


@pytest.fixture
def start(folder: Path, port: int) -> Iterator[Start]:
    processes: list[subprocess.Popen[str]] = []

    def run(*more: str) -> str:
        command = [
            sys.executable,
            "-m",
            "opsloop.cli.main",
            "flow",
            "serve",
            str(folder),
            "--port",
            str(port),
            "--json",
        ]
        process = subprocess.Popen([*command, *more], stdout=subprocess.PIPE, text=True, cwd=folder)
        processes.append(process)
        assert process.stdout is not None
        lines = ""
        while not lines.rstrip().endswith("}"):
            line = process.stdout.readline()
            assert line, "it ended before it served"
            lines += line
        return str(json.loads(lines)["url"])

    yield run
    for process in processes:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode == 0


def test_it_answers_streams_and_refuses(start: Start) -> None:
    with httpx.Client(base_url=start(), timeout=120, trust_env=False) as http:
        assert http.get("/health").json()["status"] == "Healthy"
        assert http.post("/score", json={"question": "a b"}).json() == {"answer": "a3 b3 "}
        with http.stream("POST", "/score", json={"question": "a b"}, headers={"accept": "text/event-stream"}) as answer:
            pieces = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]
        assert pieces == [{"answer": "a3 "}, {"answer": "b3 "}]
        missing = http.post("/score", json={"top": 2})
        assert (missing.status_code, missing.json()["error"]["code"]) == (422, "UserError")
        assert "inputs.question is missing" in missing.json()["error"]["message"]
        failed = http.post("/score", json={"question": "fail"})
        assert (failed.status_code, failed.json()["error"]["code"]) == (500, "SystemError")
        assert "secret" not in failed.text
        assert http.post("/score", content=b"{").json()["error"]["message"].startswith("body: not valid JSON")
        assert http.get("/nothing").status_code == 404
        assert http.post("/feedback", json={"thumb": "up"}).status_code == 200


def test_with_a_key_it_lets_nobody_else_in(start: Start) -> None:
    with httpx.Client(base_url=start("--key", "k3y"), timeout=120, trust_env=False) as http:
        assert http.get("/health").status_code == 200
        assert http.post("/score", json={"question": "a"}).status_code == 401
        known = {"authorization": "Bearer k3y"}
        assert http.post("/score", json={"question": "a"}, headers=known).status_code == 200


def test_it_does_not_listen_to_others_without_a_key(folder: Path) -> None:
    from tests.acceptance.in_process import run

    said = run("flow", "serve", str(folder), "--host", "0.0.0.0")
    assert said.code == 2
    assert "flow serve on 0.0.0.0 would let everybody in: set OPSLOOP_FLOW_KEY" in said.err


def test_its_openapi_document_is_made_from_the_flow(folder: Path) -> None:
    score = described(flow_file.read(folder))["paths"]["/score"]["post"]
    schema = score["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["question"]
    assert schema["properties"]["top"] == {"type": "integer", "default": 3}
