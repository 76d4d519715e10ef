"""Evaluation flows that ask a model: beside the rows, counted, and not asked again after a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.caller import Caller
from opsloop.core.jobs.registry import JobContext
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.datasets import service as datasets
from opsloop.evaluation import jobs as evaluation_jobs
from opsloop.evaluation import service
from opsloop.evaluation.models import Run, RunStatus
from opsloop.flows import package, versions
from opsloop.testing.model_server import ModelServer

ANSWER = """
inputs: {q: {type: string}}
outputs: {answer: {type: string, reference: "${ask.output}"}}
nodes:
- {name: ask, type: llm, source: {path: p.jinja2}, connection: model, api: chat, inputs: {model: m, q: "${inputs.q}"}}
"""
JUDGE = """
inputs: {answer: {type: string}, q: {type: string}}
outputs: {score: {type: double, reference: "${score.output}"}}
nodes:
- {name: ask, type: llm, source: {path: p.jinja2}, connection: model, api: chat, inputs: {model: m, q: "${inputs.q}"}}
- name: score
  type: python
  source: {path: score.py}
  inputs: {said: "${ask.output}", q: "${inputs.q}"}
- name: mean
  type: python
  aggregation: true
  source: {path: mean.py}
  inputs: {scores: "${score.output}"}
"""
SCORE = (
    "import pathlib, time\nfrom promptflow.core import tool\n\n@tool\ndef score(said: str, q: str) -> float:\n"
    "    folder = pathlib.Path({folder!r})\n"
    "    while q == 'q9' and (folder / 'block').exists():\n        time.sleep(0.01)\n"
    "    return float(len(said))\n"
)
MEAN = (
    "from promptflow.core import log_metric, tool\n\n@tool\ndef mean(scores: list) -> None:\n"
    "    log_metric('mean', sum(scores) / len(scores))\n"
)
EXPERIMENT: dict[str, Any] = {
    "name": "judged",
    "datasets": [{"name": "questions"}],
    "evaluators": [
        {
            "name": "judge",
            "flow": "judge",
            "mappings": {"answer": "${run.outputs.answer}", "q": "${data.q}"},
        }
    ],
}
KILLED = """
import sys
from pathlib import Path
from opsloop.core.jobs.inline import run_due
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.evaluation import jobs

run_due(open_workspace(CoreSettings(data_dir=Path(sys.argv[1]))))
"""


@pytest.fixture
def workspace_there(tmp_path: Path) -> Any:
    workspace = open_workspace(CoreSettings(data_dir=tmp_path / "data"))
    yield workspace
    workspace.close()


def started(workspace: Workspace, by: Caller, folder: Path, server: ModelServer, **changes: Any) -> Run:
    model = {"type": "open_ai", "api_key": "key", "base_url": server.base_url}
    files = {
        "answer/flow.dag.yaml": ANSWER,
        # A flow is loaded once in a process, with the connections of the first that loads it: each test has its own.
        "answer/p.jinja2": f"{{# {folder} #}}user:\nanswer {{{{q}}}}\n",
        "judge/flow.dag.yaml": JUDGE,
        "judge/p.jinja2": "user:\njudge {{q}}\n",
        "judge/score.py": SCORE.format(folder=str(folder)),
        "judge/mean.py": MEAN,
        "connections.yaml": json.dumps({"model": model}),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    rows = "\n".join(json.dumps({"q": f"q{number}"}) for number in range(20))
    with workspace.writing(by) as uow:
        datasets.register(uow, "questions", "rows.jsonl", rows.encode())
        flow = versions.register(uow, "answer", package.archive_of(folder / "answer"))
        versions.register(uow, "judge", package.archive_of(folder / "judge"))
        return service.start(uow, {**EXPERIMENT, **changes}, flow)


def ended(workspace: Workspace, by: Caller, run: Run) -> Run:
    context = JobContext(workspace, run.job, stopping=threading.Event(), progress=lambda *_: None)
    evaluation_jobs.run(context, {"run": run.id})
    with workspace.reading(by) as uow:
        return service.get(uow, run.id)


def test_what_flow_and_judge_use_is_counted_for_each_row(
    workspace_there: Workspace, tmp_path: Path, admin: Caller
) -> None:
    with ModelServer() as server:
        run = ended(workspace_there, admin, started(workspace_there, admin, tmp_path, server))
        assert server.count() == 40
    with workspace_there.reading(admin) as uow:
        rows = service.rows(uow, run.id)
    assert run.aggregates["judge.mean"] == run.metrics["judge"].value
    assert all(row.prompt_tokens and row.completion_tokens for row in rows)
    assert run.prompt_tokens == sum(row.prompt_tokens or 0 for row in rows)


def test_a_budget_of_calls_counts_those_of_the_judge(workspace_there: Workspace, tmp_path: Path, admin: Caller) -> None:
    with ModelServer() as server:
        run = ended(workspace_there, admin, started(workspace_there, admin, tmp_path, server, budget={"calls": 13}))
        assert server.count() == 12
    assert run.cut == "the budget of 13 calls was used up (6 of 20 rows)"
    assert (run.status, run.metrics["judge"].rows) == (RunStatus.DONE, 6)


def test_a_killed_run_asks_no_model_again_what_it_was_told(
    workspace_there: Workspace, tmp_path: Path, admin: Caller
) -> None:
    with ModelServer() as server:
        run = started(workspace_there, admin, tmp_path, server)
        (tmp_path / "block").touch()
        journal = tmp_path / "data" / "journals" / f"{run.id}-0-e0.jsonl"
        with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "data")]) as process:
            tick = threading.Event()
            # The head, a call for each row, and all rows but the one that is held up.
            while not (journal.exists() and journal.read_text().count("\n") == 1 + 20 + 19):
                assert process.poll() is None
                tick.wait(0.02)
            process.send_signal(signal.SIGKILL)
        (tmp_path / "block").unlink()
        assert server.count() == 40
        found = ended(workspace_there, admin, run)
        assert server.count() == 40
    assert (found.status, found.failed_rows, found.metrics["judge"].rows) == (RunStatus.DONE, 0, 20)
    assert found.aggregates["judge.mean"] == found.metrics["judge"].value
    assert list(journal.parent.iterdir()) == []


PROMPTY = """---
name: rating
model:
  api: chat
  configuration: {type: openai, connection: model, model: m}
inputs:
  answer: {type: string}
---
user:
Rate this answer with a score between 1 and 5: {{answer}}
"""


def test_a_prompty_is_an_evaluator(workspace_there: Workspace, tmp_path: Path, admin: Caller) -> None:
    with ModelServer() as server:
        (tmp_path / "rating").mkdir()
        (tmp_path / "rating" / "rating.prompty").write_text(f"{PROMPTY}{{# {tmp_path} #}}\n")
        with workspace_there.writing(admin) as uow:
            versions.register(uow, "rating", package.archive_of(tmp_path / "rating", file="rating.prompty"))
        use = {"name": "rated", "flow": "rating@1", "mappings": {"answer": "${run.outputs.answer}"}}
        run = ended(workspace_there, admin, started(workspace_there, admin, tmp_path, server, evaluators=[use]))
    assert run.metrics["rated"].rows == 20
    assert 1 <= (run.metrics["rated"].value or 0) <= 5
