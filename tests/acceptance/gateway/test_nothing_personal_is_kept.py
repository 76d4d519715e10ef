"""Personal data that callers send through every route: none stands in a file of the data folder, or in a log."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from tests.acceptance.up import Up

VALUES = (
    "maria.lopez@example.com",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "+49 30 901820",
    "078-05-1121",
)
PERSON = f"I am {VALUES[0]}, card {VALUES[1]}, account {VALUES[2]}, phone {VALUES[3]}, ssn {VALUES[4]}."
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
from promptflow.exceptions import UserErrorException


@tool
def echo(question: str) -> str:
    if "fail" in question:
        raise ValueError(question)
    if "refuse" in question:
        raise UserErrorException(question)
    return question
"""
PROJECT = """\
project: guarded
endpoints:
  chat: {flow: echo}
  desk: {flow: echo, guardrails: {requests: {payment_card: escalate}}}
  strict: {flow: echo, guardrails: {requests: {payment_card: block}}}
  open: {flow: echo, guardrails: {}}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    folder = tmp_path / "guarded"
    (folder / "echo").mkdir(parents=True)
    (folder / "opsloop.yaml").write_text(PROJECT)
    (folder / "echo" / "flow.dag.yaml").write_text(FLOW)
    (folder / "echo" / "echo.py").write_text(ECHO)
    return folder


def drive(http: httpx.Client, endpoint: str) -> list[str]:
    """Every way to ask an endpoint; what was answered."""
    texts = []
    for said in (PERSON, f"please fail: {PERSON}", f"please refuse: {PERSON}"):
        for streamed in (False, True):
            body = {"model": endpoint, "stream": streamed, "user": VALUES[0]}
            turns = [{"role": "user", "content": PERSON}, {"role": "assistant", "content": PERSON}]
            messages = [*turns, {"role": "user", "content": said}]
            texts.append(http.post("/v1/chat/completions", json={**body, "messages": messages}).text)
            accept = {"accept": "text/event-stream"} if streamed else {}
            at = f"/endpoints/{endpoint}/invoke"
            texts.append(http.post(at, json={"inputs": {"question": said}}, headers=accept).text)
        texts.append(http.post(f"/chat/{endpoint}", data={"question": said, "history": "[]"}).text)
    return texts


def test_no_value_is_found_in_a_file_or_a_log(small: Path, port: int) -> None:
    up = Up(small, port, OPSLOOP_LOG_LEVEL="debug")
    try:
        up.wait_for("Ctrl-C stops it")  # after it has applied the project
        with httpx.Client(base_url=up.url, timeout=120, trust_env=False) as http:
            answers = [text for endpoint in ("chat", "desk", "strict") for text in drive(http, endpoint)]
            drive(http, "open")
            tickets = [
                json.loads(text)["ticket"] for text in answers if text.startswith('{"outputs') and '"ticket"' in text
            ]
            http.post(f"/endpoints/{VALUES[0]}/invoke", json={"inputs": {}})
            http.post("/endpoints/chat/invoke", json={"inputs": {"question": PERSON}, PERSON: 1})
            http.post("/v1/chat/completions", json={"model": PERSON, "messages": [{"role": PERSON}]})
            http.post("/endpoints/chat/predict", json={"inputs": [[PERSON]]})
            kept = http.post("/feedback", json={"request_id": "req_1", "thumb": "down", "comment": PERSON})
            assert kept.status_code == 201
            case = http.get(f"/api/support/{tickets[0]['id']}").json()
            shown = http.get("/support", headers={"accept": "text/html"}).text
            shown += http.get(f"/support/cases/{tickets[0]['id']}", headers={"accept": "text/html"}).text
        assert "I am [EMAIL], card [PAYMENT_CARD], account [IBAN]" in answers[0]
        assert "request_blocked" in answers[-5]
        assert "[PAYMENT_CARD]" in json.dumps(case)
        assert "[PAYMENT_CARD]" in shown
    finally:
        assert up.stop() == 0
    for value in VALUES:
        assert [text for text in answers if value in text and "data-talk" not in text] == []
        files = [path for path in (small / ".opsloop").rglob("*") if path.is_file()]
        assert files
        assert [path.name for path in files if value.encode() in path.read_bytes()] == []
        assert value not in up.said
        assert value not in shown
