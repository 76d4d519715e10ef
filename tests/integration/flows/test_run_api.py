"""Running registered flows over HTTP, and the runs that are kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from opsloop.core.caller import Caller, Role
from opsloop.core.opening import open_workspace
from opsloop.core.workspace import Workspace
from opsloop.flows import run_records
from opsloop.flows._tables import FlowRunRow
from opsloop.flows.graph import mermaid
from opsloop.flows.settings import FlowSettings
from opsloop.flows.versions import get, read
from tests.integration.console import flows
from tests.integration.console.conftest import ADMIN, browser

HOSTILE = "<script>alert(1)</script>\0\ud800 {{7*7}}"
SLEEPER = """
    inputs: {x: {type: string}}
    outputs: {y: {type: string, reference: "${wait.output}", is_chat_output: true}}
    nodes: [{name: wait, type: python, source: {type: code, path: wait.py}, inputs: {x: "${inputs.x}"}}]
"""
WAIT = """\
import asyncio

from promptflow.core import tool


@tool
async def wait(x: str) -> str:
    await asyncio.Event().wait()
    return x
"""


@pytest.fixture
def api(sqlite_workspace: Workspace, tmp_path: Path) -> Iterator[httpx.Client]:
    flows.whole(sqlite_workspace, tmp_path / "flows")
    with browser(sqlite_workspace) as client:
        client.headers["accept"] = "application/json"
        yield client  # type: ignore[misc]


def run(api: httpx.Client, ref: str = "help-desk", **wanted: Any) -> httpx.Response:
    return api.post(f"/api/flows/{ref}/runs", content=json.dumps(wanted), headers={"content-type": "application/json"})


def test_a_version_is_told_with_its_graph_its_form_and_its_files(
    api: httpx.Client, sqlite_workspace: Workspace
) -> None:
    view = api.get("/api/flows/help-desk").json()
    assert view["version"]["version"] == 2
    assert [each["name"] for each in view["nodes"]] == ["classify", "ask", "small_talk", "join", "grade"]
    assert {each["name"]: each["control"] for each in view["inputs"]}["picture"] == "file"
    assert [each["path"] for each in view["files"]][:3] == ["ask.jinja2", "classify.py", "flow.dag.yaml"]
    assert view["variants"] == [{"node": "ask", "default": "plain", "ids": ["plain", "terse"]}]
    assert {"source": "n0", "target": "n2", "condition": "is chat"} in view["graph"]["edges"]
    with sqlite_workspace.reading(ADMIN) as uow:
        flow = read(sqlite_workspace, get(uow, "help-desk"))
    assert view["mermaid"] == mermaid(flow)


def test_a_run_is_kept_with_the_trace_of_each_node(api: httpx.Client) -> None:
    answer = run(api, inputs={"question": "How many days of leave?"})
    assert answer.status_code == 201
    assert api.get(answer.headers["location"]).json() == answer.json()
    found = answer.json()
    assert found["outputs"] == {"answer": "The leave is 30 days a year.", "kind": "question"}
    traces = {each["node"]: each for each in found["nodes"]}
    assert traces["classify"]["inputs"] == {"question": "How many days of leave?", "count": 3}
    assert traces["classify"]["output"] == {"kind": "question", "count": 3}
    assert [each["role"] for each in traces["ask"]["conversation"]] == ["system", "user"]
    assert traces["ask"]["tokens"]["calls"] == 1
    assert traces["small_talk"]["status"] == "bypassed"
    assert [each["id"] for each in api.get("/api/flows/help-desk/runs").json()["items"]] == [found["id"]]


def test_a_run_that_failed_is_kept_and_names_the_flow_and_the_node(api: httpx.Client) -> None:
    found = run(api, inputs={"question": "fail"}).json()
    assert found["status"] == "failed"
    assert found["error"].startswith("node 'classify' of flow 'help-desk' failed: ValueError: no kind")
    assert {each["node"]: each["status"] for each in found["nodes"]}["classify"] == "failed"


def test_a_variant_can_be_chosen(api: httpx.Client) -> None:
    found = run(api, inputs={"question": "?"}, variants={"ask": "terse"}).json()
    assert found["variants"] == {"ask": "terse"}
    asked = next(each for each in found["nodes"] if each["node"] == "ask")
    assert asked["conversation"][0]["content"].strip() == "Be terse."


@pytest.mark.parametrize(
    ("wanted", "field", "said"),
    [
        ({}, "inputs.question", "inputs.question is missing: wanted a value (string) for this input of flow help-desk"),
        ({"inputs": {"question": "?", "qestion": "?"}}, "inputs.qestion", "did you mean 'question'?"),
        ({"inputs": {"question": "?", "count": "many"}}, "inputs.count", "wanted a whole number"),
        ({"inputs": {"question": "?", "tags": "[1"}}, "inputs.tags", "wanted a list"),
        ({"inputs": {"question": "?"}, "variants": {"ask": "ters"}}, "variants", "did you mean 'ask.terse'?"),
    ],
)
def test_bad_input_names_the_field_and_the_wanted_form(
    api: httpx.Client, wanted: dict[str, Any], field: str, said: str
) -> None:
    answer = run(api, **wanted)
    problem = answer.json()
    assert (answer.status_code, problem["field"]) == (422, field)
    assert said in problem["detail"]
    assert api.get("/api/flows/help-desk/runs").json()["items"] == []


def test_a_body_that_is_no_run_is_refused(api: httpx.Client) -> None:
    assert run(api, input={"question": "?"}).status_code == 422
    assert run(api, inputs=["question"]).status_code == 422
    assert run(api, "nobody", inputs={}).status_code == 404


def test_ten_megabytes_run_and_are_kept_cut(api: httpx.Client, sqlite_workspace: Workspace) -> None:
    found = run(api, inputs={"question": "word " * 2_000_000, "options": {"deep": ["x" * 100_000] * 50}}).json()
    assert found["status"] == "completed"
    assert found["inputs"]["question"].endswith("… (10,000,000 characters in all)")
    with sqlite_workspace.reading(ADMIN) as uow:
        (row,) = uow.session.scalars(select(FlowRunRow))
        assert len(json.dumps(row.content)) < 500_000


def test_what_no_database_takes_is_kept_as_something_else(api: httpx.Client) -> None:
    found = run(api, inputs={"question": HOSTILE})
    assert found.status_code == 201
    assert api.get(found.headers["location"]).json()["inputs"]["question"] == "<script>alert(1)</script>␀? {{7*7}}"


def test_a_secret_is_not_kept_anywhere(api: httpx.Client, sqlite_workspace: Workspace) -> None:
    found = run(api, inputs={"question": "hello", "token": "s3cret-t0ken"})
    assert found.json()["outputs"]["answer"].endswith("•••")
    assert "s3cret" not in found.text
    with sqlite_workspace.reading(ADMIN) as uow:
        (row,) = uow.session.scalars(select(FlowRunRow))
        assert "s3cret" not in json.dumps(row.content)


def test_the_newest_runs_of_each_flow_stay(api: httpx.Client, sqlite_workspace: Workspace, tmp_path: Path) -> None:
    flows.huge(sqlite_workspace, tmp_path / "flows", nodes=1)
    other = run(api, "huge").json()["id"]
    kept = sqlite_workspace.section(FlowSettings).flow_runs_kept
    made = [flows.run(sqlite_workspace, "help-desk", question="?").id for _ in range(kept + 3)]
    with sqlite_workspace.reading(ADMIN) as uow:
        left = [each.id for each in run_records.listed(uow, "help-desk", limit=1_000)]
        assert [each.id for each in run_records.listed(uow, "huge")] == [other]
    assert sorted(left) == sorted(made[3:])
    gone = api.get(f"/api/flows/help-desk/runs/{made[0]}")
    assert (gone.status_code, f"the newest {kept} runs" in gone.json()["detail"]) == (404, True)


def test_a_run_outlives_a_restart(api: httpx.Client, sqlite_workspace: Workspace) -> None:
    found = run(api, inputs={"question": "?"}).json()
    reopened = open_workspace(sqlite_workspace.settings)
    with browser(reopened) as again:
        assert again.get(f"/api/flows/help-desk@2/runs/{found['id']}").json() == found
        assert again.get(f"/api/flows/other/runs/{found['id']}").status_code == 404
    reopened.close()


def test_a_run_that_takes_too_long_is_cancelled_and_kept(
    api: httpx.Client, sqlite_workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSLOOP_FLOW_RUN_TIMEOUT_S", "0.05")
    flows.register(sqlite_workspace, tmp_path / "flows", "sleeper", SLEEPER, {"wait.py": WAIT})
    found = run(api, "sleeper", inputs={"x": "?"}).json()
    assert found["status"] == "failed"
    assert "did not end within 0.05 s" in found["error"]
    headers = {"accept": "text/event-stream"}
    streamed = api.post("/api/flows/sleeper/runs", json={"inputs": {"x": "?"}}, headers=headers).text
    assert "did not end within 0.05 s" in streamed


def test_a_viewer_may_look_and_not_run(api: httpx.Client, sqlite_workspace: Workspace) -> None:
    found = run(api, inputs={"question": "?"}).json()
    with browser(sqlite_workspace, Caller("key:watcher", Role.VIEWER)) as viewer:
        viewer.headers["accept"] = "application/json"
        assert viewer.get(f"/api/flows/help-desk/runs/{found['id']}").status_code == 200
        assert viewer.post("/api/flows/help-desk/runs", json={"inputs": {"question": "?"}}).status_code == 403


def test_a_run_can_be_heard_while_it_goes_on(api: httpx.Client) -> None:
    headers = {"accept": "text/event-stream"}
    body = {"inputs": {"question": "How many days of leave?"}}
    answer = api.post("/api/flows/help-desk/runs", json=body, headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = re.findall(r"event: (\w+)\ndata: (.*)\n\n", answer.text)
    assert [kind for kind, _ in events][-1] == "run"
    text = "".join(json.loads(data)["text"] for kind, data in events if kind == "delta")
    told = json.loads(events[-1][1])
    assert text == told["outputs"]["answer"] == "The leave is 30 days a year."
    assert api.get(f"/api/flows/help-desk/runs/{told['id']}").json()["status"] == "completed"


def test_bad_input_is_refused_before_a_stream_begins(api: httpx.Client) -> None:
    answer = api.post("/api/flows/help-desk/runs", json={}, headers={"accept": "text/event-stream"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_two_versions_are_compared_file_by_file(api: httpx.Client) -> None:
    items = api.get("/api/flows/help-desk/diff/1..2").json()["items"]
    assert [(each["path"], each["change"]) for each in items] == [("ask.jinja2", "changed"), ("old.txt", "removed")]
    assert "-{{ question }}" in items[0]["lines"]
    assert api.get("/api/flows/help-desk/diff/2..2").json()["items"] == []


def test_a_file_is_shown_as_text_or_says_why_not(
    api: httpx.Client, sqlite_workspace: Workspace, tmp_path: Path
) -> None:
    assert "def classify" in api.get("/api/flows/help-desk/file?path=classify.py").json()["text"]
    assert api.get("/api/flows/help-desk/file?path=../../state.db").status_code == 404
    files = {"wait.py": WAIT, "blob.txt": "\0\1\2", "long.txt": "ä" * 200_000}
    flows.register(sqlite_workspace, tmp_path / "flows", "sleeper", SLEEPER, files)
    assert api.get("/api/flows/sleeper/file?path=blob.txt").json()["missing"] == "It is no text."
    long = api.get("/api/flows/sleeper/file?path=long.txt").json()
    assert (len(long["text"]), long["is_cut"]) == (100_000, True)
