"""Two evaluations compared, and a run written up, through the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from opsloop.client.evaluations import Compared
from opsloop.core.caller import Caller
from opsloop.core.jobs.inline import run_due
from opsloop.core.workspace import Workspace
from opsloop.datasets import service as datasets
from opsloop.evaluation import gates, service
from opsloop.evaluation import jobs as _jobs  # noqa: F401 (registers its kind)
from opsloop.evaluation.api import router
from opsloop.evaluation.reports import registry
from opsloop.evaluation.reports.json_report import JsonReport
from opsloop.flows import package, versions

DAG = """
inputs:
  question: {type: string}
outputs:
  answer: {type: string, reference: '${say.output}'}
nodes:
- name: say
  type: python
  source: {type: code, path: say.py}
  inputs: {question: '${inputs.question}'}
"""
HEAD = "from promptflow.core import tool\n\n@tool\ndef say(question: str) -> str:\n"
RIGHT = HEAD + "    return question\n"
WORSE = HEAD + (
    "    number = int(question[1:])\n"
    "    if number == 7:\n        raise ValueError('seven')\n"
    "    return 'x' if number % 3 == 0 else question\n"
)
ROWS = [{"question": f"q{n}", "truth": f"q{n}", "topic": "leave" if n % 2 else "pay"} for n in range(40)]
EXPERIMENT: dict[str, Any] = {
    "name": "answers",
    "datasets": [{"name": "golden"}],
    "evaluators": [{"name": "exact_match"}],
    "gate": {"rules": [{"metric": "exact_match", "margin": 0.05}]},
}
Evaluate = Callable[[str], str]


@pytest.fixture
def evaluate(workspace: Workspace, admin: Caller, tmp_path: Path) -> Evaluate:
    """Registers a flow with this Python and evaluates it; returns the run's id."""
    with workspace.writing(admin) as uow:
        datasets.register(uow, "golden", "rows.jsonl", "\n".join(map(json.dumps, ROWS)).encode())

    def made(code: str) -> str:
        folder = tmp_path / "flow"
        folder.mkdir(exist_ok=True)
        (folder / "flow.dag.yaml").write_text(DAG)
        (folder / "say.py").write_text(code)
        with workspace.writing(admin) as uow:
            run = service.start(uow, EXPERIMENT, versions.register(uow, "answer", package.archive_of(folder)))
        run_due(workspace)
        return run.id

    return made


@pytest.fixture
def http(workspace: Workspace, admin: Caller) -> TestClient:
    app = FastAPI()
    app.state.workspace = workspace
    app.router.routes.extend(router.routes)

    async def with_caller(scope: Any, receive: Any, send: Any) -> None:
        scope["opsloop.caller"] = admin
        await app(scope, receive, send)

    return TestClient(with_caller)


def test_two_runs_are_compared_over_http(evaluate: Evaluate, http: TestClient) -> None:
    base, head = evaluate(RIGHT), evaluate(WORSE)
    answer = http.get(f"/api/evaluations/compare?base={base}&head={head}&limit=5")
    assert answer.status_code == 200, answer.text
    found = msgspec.json.decode(answer.content, type=Compared)
    assert found.comparison.sentence.startswith("Worse in 1 of 2 metrics: exact_match fell 0.38 (1.00 to 0.62")
    assert [each.broke for each in found.rows[:1]] == [("completed", "exact_match")]
    assert found.rows[0].head.error is not None
    assert found.next == 5
    rest = http.get(f"/api/evaluations/compare?base={base}&head={head}&rows=broke&offset=5").json()
    assert (len(rest["rows"]), rest["next"]) == (10, None)
    topics = http.get(f"/api/evaluations/compare?base={base}&head={head}&by=topic").json()["comparison"]["slices"]
    assert [each["name"] for each in topics] == ["topic: pay", "topic: leave"]


def test_every_form_of_report_is_given_beside_the_gates_baseline_or_another(
    workspace: Workspace, admin: Caller, evaluate: Evaluate, http: TestClient
) -> None:
    base, head = evaluate(RIGHT), evaluate(WORSE)
    with workspace.writing(admin) as uow:
        gates.check(uow, head, base)
    kinds = {"html": "text/html", "markdown": "text/markdown", "junit": "application/xml", "csv": "text/csv"}
    for name, kind in kinds.items():
        answer = http.get(f"/api/evaluations/{head}/report?format={name}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(kind)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    found = msgspec.json.decode(http.get(f"/api/evaluations/{head}/report?format=json").content, type=JsonReport)
    assert found.comparison is not None
    assert (found.comparison.base.id, len(found.broke)) == (base, 15)
    assert found.provenance.recorded is not None
    assert found.provenance.audit_head is not None
    itself = http.get(f"/api/evaluations/{head}/report?format=json&baseline={head}").json()
    assert itself["broke"] == []
    assert set(registry.known()) >= {"html", "markdown", "md", "junit", "xml", "json", "csv"}


def test_what_cannot_be_compared_or_written_is_said(evaluate: Evaluate, http: TestClient) -> None:
    from opsloop.core.errors import InvalidInput
    from opsloop.evaluation.errors import RunMissing

    run = evaluate(RIGHT)
    with pytest.raises(RunMissing, match="no evaluation 'run_none'"):
        http.get(f"/api/evaluations/compare?base=run_none&head={run}")
    with pytest.raises(InvalidInput, match="by: is 'subject'; wanted a column of the data"):
        http.get(f"/api/evaluations/compare?base={run}&head={run}&by=subject")
    with pytest.raises(InvalidInput, match="did you mean 'html'"):
        http.get(f"/api/evaluations/{run}/report?format=htm")
