"""Connections as nodes use them: looked up by name, handed to tools as objects, and a model behind them asked."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from opsloop.flows.connections import files
from opsloop.flows.connections.store import ConnectionStore
from opsloop.flows.errors import FlowInvalid
from opsloop.flows.loaded import load
from opsloop.testing.model_server import ModelServer

WriteFlow = Callable[..., Path]

ASK = """
    inputs: {q: {type: string}}
    outputs: {y: {type: string, reference: "${ask.output}"}}
    nodes:
    - {name: ask, type: llm, source: {path: ask.jinja2}, connection: mine, api: chat,
       inputs: {deployment_name: dep, model: mod, q: "${inputs.q}"}}
"""
WORK = """
    outputs: {y: {type: object, reference: "${work.output}"}}
    nodes: [{name: work, type: python, source: {path: work.py}, inputs: {connection: mine}}]
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder and a home of this test alone."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("OPSLOOP_CONNECTIONS_HOME", str(tmp_path / "home"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


@pytest.mark.parametrize(("kind", "model", "is_in_body"), [("azure_open_ai", "dep", False), ("open_ai", "mod", True)])
def test_a_node_asks_the_model_behind_its_connection(
    write_flow: WriteFlow, kind: str, model: str, is_in_body: bool
) -> None:
    with ModelServer(api_key="k3y") as server:
        place = {"api_base": server.azure_endpoint} if kind == "azure_open_ai" else {"base_url": server.base_url}
        connection = {"type": kind, "api_key": "k3y", **place}
        flow = load(write_flow(ASK, **{"ask.jinja2": "user:\n{{q}}"}), connections={"mine": connection})
        assert flow.run_sync({"q": "Hi"}).outputs == {"y": "You said: Hi"}
        (call,) = server.calls
        assert (call.model, "model" in call.json) == (model, is_in_body)


def test_the_projects_file_comes_before_the_stores(write_flow: WriteFlow, elsewhere: Path) -> None:
    code = """
        from promptflow.core import tool
        from promptflow.connections import CustomConnection
        @tool
        def work(connection: CustomConnection):
            return {"which": connection.which, "kind": connection.type, "name": connection.name}
    """
    flow = write_flow(WORK, **{"work.py": code})

    def which() -> object:
        return load(flow).run_sync({}).outputs["y"]["which"]

    def said(text: str) -> dict[str, object]:
        return {"name": "mine", "configs": {"which": text}, "secrets": {"k": "x"}}

    ConnectionStore(elsewhere / "home").put(files.parse(said("home")))
    assert load(flow).run_sync({}).outputs["y"] == {"which": "home", "kind": "Custom", "name": "mine"}
    (flow / "again").touch()  # the flow has changed, so it is loaded anew
    ConnectionStore(elsewhere / "here" / ".opsloop").put(files.parse(said("store")))
    assert which() == "store"
    (flow / "and again").touch()
    (elsewhere / "here" / "connections.yaml").write_text("mine: {configs: {which: file}, secrets: {k: x}}\n")
    assert which() == "file"


def test_a_connection_that_is_not_there_is_told_with_those_that_are(write_flow: WriteFlow) -> None:
    code = """
        from promptflow.core import tool
        from promptflow.connections import SerpConnection
        @tool
        def work(connection: SerpConnection): ...
    """
    with pytest.raises(
        FlowInvalid, match=r"connection is 'mine'; wanted a known connection \(mime\); did you mean 'mime'"
    ):
        load(write_flow(WORK, **{"work.py": code}), connections={"mime": {"type": "serp", "api_key": "x"}})


def test_a_secret_that_is_not_set_is_named_and_not_shown(write_flow: WriteFlow) -> None:
    code = "from promptflow.core import tool\n@tool\ndef work(connection: 'SerpConnection'): ...\n"
    with pytest.raises(FlowInvalid, match=r"connection mine.api_key is .*; wanted the environment variable OF_TEST"):
        load(write_flow(WORK, **{"work.py": code}), connections={"mine": {"type": "serp", "api_key": "${env:OF_TEST}"}})


def test_a_teams_own_connection_class_is_made(write_flow: WriteFlow) -> None:
    code = """
        from typing import Union
        from promptflow.core import tool
        from promptflow.connections import AzureOpenAIConnection, CustomStrongTypeConnection, OpenAIConnection
        from promptflow.contracts.types import Secret
        class Mine(CustomStrongTypeConnection):
            api_key: Secret
            api_base: str = "x"
        @tool
        def work(connection: Mine, other: Union[AzureOpenAIConnection, OpenAIConnection]):
            return [type(connection).__name__, connection.api_base, connection.api_key, type(other).__name__]
    """
    dag = WORK.replace("inputs: {connection: mine}", "inputs: {connection: mine, other: other}")
    connections = {
        "mine": {"type": "custom", "configs": {"api_base": "http://x"}, "secrets": {"api_key": "k"}},
        "other": {"type": "open_ai", "api_key": "k"},
    }
    result = load(write_flow(dag, **{"work.py": code}), connections=connections).run_sync({})
    assert result.outputs["y"] == ["Mine", "http://x", "k", "OpenAIConnection"]


def test_variables_of_the_environment_come_from_connections(
    write_flow: WriteFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OF_TEST_KEY", raising=False)
    dag = "environment_variables: {OF_TEST_KEY: '${mine.api_key}'}\n" + textwrap.dedent(WORK)
    code = (
        "import os\nfrom promptflow.core import tool\n@tool\ndef work(connection): return os.environ['OF_TEST_KEY']\n"
    )
    mine = {"type": "serp", "api_key": "s3cret"}
    assert load(write_flow(dag, **{"work.py": code}), connections={"mine": mine}).run_sync({}).outputs == {
        "y": "s3cret"
    }
    with pytest.raises(
        FlowInvalid, match=r"environment_variables.OF_TEST_KEY is .*; wanted something mine has \(key\)"
    ):
        load(write_flow(dag, **{"work.py": code}), connections={"mine": {"configs": {"key": "x"}}})


def test_a_run_can_replace_the_connection_of_a_node(write_flow: WriteFlow) -> None:
    with ModelServer() as server:
        mine = {"type": "open_ai", "api_key": "k", "base_url": server.base_url}
        path = write_flow(ASK, **{"ask.jinja2": "user:\n{{q}}"})
        overrides = {"ask": {"connection": "other", "model": "big"}}
        assert load(path, connections={"other": mine}, overrides=overrides).run_sync({"q": "x"}).outputs["y"]
        assert server.calls[0].model == "big"
    with pytest.raises(FlowInvalid, match=r"connections is 'asc'; wanted a node of the flow .*; did you mean 'ask'"):
        load(path, overrides={"asc": {"connection": "x"}})
