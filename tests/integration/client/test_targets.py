"""Experiments whose target is no flow: a function beside them, a service over HTTP, an endpoint."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from opsloop.client import experiment_files, experiments
from opsloop.client.experiment_files import ExperimentFileInvalid
from opsloop.client.http import Client
from opsloop.core.errors import InvalidInput
from opsloop.evaluation.models import RunStatus
from opsloop.testing.model_server import ModelServer

EXPERIMENT: dict[str, Any] = {
    "name": "asked",
    "datasets": [{"name": "questions", "source": "questions.jsonl", "mappings": {"question": "${data.question}"}}],
    "evaluators": [{"name": "contains", "mappings": {"truth": "${data.truth}", "answer": "${run.outputs.answer}"}}],
}
RULES = "from words import last\n\n\ndef answer(question: str) -> dict:\n    return {'answer': last(question)}\n"
WORDS = "def last(text: str) -> str:\n    return text.split()[-1]\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "rules.py").write_text(RULES)
    (tmp_path / "words.py").write_text(WORDS)
    rows = [{"question": f"say w{number}", "truth": f"w{number}"} for number in range(10)]
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return declared(tmp_path / "experiment.yaml", target="function:rules:answer")


def declared(file: Path, **changes: Any) -> Path:
    file.write_text(json.dumps({**EXPERIMENT, **changes}))
    return file


def test_a_function_is_evaluated_with_what_it_imports(client: Client, file: Path) -> None:
    run = experiments.run(client, file)
    assert (run.flow, run.status, run.error) == ("function-answer@1", RunStatus.DONE, None)
    assert run.metrics["contains"].value == 1.0


def test_a_function_that_is_not_there_is_named(client: Client, file: Path) -> None:
    with pytest.raises(InvalidInput, match=r"target\.function.*rule:answer.*rule\.py"):
        experiments.run(client, declared(file, target="function:rule:answer"))


def test_a_service_that_speaks_openai_is_asked_for_each_row(client: Client, file: Path) -> None:
    with ModelServer() as server:
        target = {"url": server.base_url, "speaks": "openai", "model": "m"}
        run = experiments.run(client, declared(file, target=target))
        assert server.count() == 10
    assert (run.failed_rows, run.metrics["contains"].value) == (0, 1.0)
    assert run.flow.startswith("service-127.0.0.1-")


class Invoked(BaseHTTPRequestHandler):
    """Answers the last word of the question; refuses who shows no key, and one of the questions."""

    def do_POST(self) -> None:
        inputs = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["inputs"]
        is_known = self.headers.get("Authorization") == "Bearer of the environment"
        code = 401 if not is_known else 503 if inputs["question"] == "say w3" else 200
        body = json.dumps({"outputs": {"answer": inputs["question"].split()[-1]}}).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are no news."""


@pytest.fixture
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Invoked)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/invoke"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_service_takes_the_inputs_and_its_key_from_the_environment(
    client: Client, file: Path, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_OF_TEST", "of the environment")
    target = {"url": service, "api_key": "${KEY_OF_TEST}", "outputs": ["answer"]}
    run = experiments.run(client, declared(file, target=target))
    failed = client.evaluations.rows(run.id, failed=True)
    assert run.failed_rows == 1
    assert run.metrics["contains"].value == pytest.approx(0.9)
    assert "answered 503" in (failed[0].error or "")
    assert b"of the environment" not in client.evaluations.report(run.id, form="json")


def test_an_endpoint_is_asked_over_the_network(client: Client, file: Path) -> None:
    with pytest.raises(InvalidInput, match="a platform that runs"):
        experiments.run(client, declared(file, target="endpoint:support-chat"))


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("support-chat", "endpoint:NAME, function:MODULE:NAME"),
        ({"endpoint": "a", "url": "http://b"}, "with one of endpoint, function and url"),
        ("function:rules", "MODULE:NAME"),
        ({"url": "chat.example"}, "an address"),
        ({"url": "http://a", "api_key": "sk-123456"}, r"target\.api_key.*\$\{NAME\}"),
        ({"url": "http://a", "speaks": "open_ai"}, "did you mean 'openai'"),
        ({"url": "http://a", "speaks": "openai"}, r"target\.model"),
        ({"url": "http://a", "outputs": ["a b"]}, "a list of names"),
    ],
)
def test_a_wrong_target_is_refused(file: Path, target: object, expected: str) -> None:
    with pytest.raises(ExperimentFileInvalid, match=expected) as caught:
        experiment_files.read(declared(file, target=target))
    assert "123456" not in str(caught.value)
