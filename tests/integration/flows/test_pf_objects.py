"""What scripts of Prompt flow hand over as objects: functions, objects, loaded prompties, connections."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.flows.compat.client import PFClient
from opsloop.flows.compat.flow_objects import load_flow
from opsloop.flows.compat.prompties import AsyncPrompty, Prompty
from opsloop.flows.connections.classes import AzureOpenAIConnection, CustomConnection
from opsloop.testing.model_server import ModelServer

WriteFlow = Callable[..., Path]
ASK = """
    inputs: {question: {type: string}}
    outputs: {answer: {type: string, reference: "${ask.output}"}}
    nodes:
    - {name: ask, type: llm, source: {path: ask.jinja2}, connection: not_here, api: chat,
       inputs: {deployment_name: small, question: "${inputs.question}"}}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPSLOOP_CONNECTIONS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in ("a", "bcd")))
    return tmp_path


def outputs(run: Any, name: str = "output") -> list[Any]:
    return list(PFClient().get_details(run)[f"outputs.{name}"])


def test_a_function_that_was_typed_in_is_a_flow() -> None:
    def shout(text: str, mark: str = "!", default: object = object()) -> str:
        assert not isinstance(default, str)
        return text.upper() + mark

    client = PFClient()
    assert client.test(shout, inputs={"text": "a"}) == "A!"
    run = client.run(flow=shout, data="rows.jsonl", column_mapping={"text": "${data.text}", "mark": "?"})
    assert outputs(run) == ["A?", "BCD?"]
    assert client.test(flow=lambda text: text * 2, inputs={"text": "a"}) == "aa"


def test_an_object_of_a_class_that_was_typed_in_makes_metrics() -> None:
    class Count:
        def __init__(self, factor: int) -> None:
            self.factor = factor

        def __call__(self, text: str) -> dict[str, int]:
            return {"letters": len(text) * self.factor}

        def __aggregate__(self, line_results: list[dict[str, int]]) -> dict[str, float]:
            return {"mean": sum(each["letters"] for each in line_results) / len(line_results)}

    client = PFClient()
    run = client.run(flow=Count(2), data="rows.jsonl")
    assert outputs(run, "letters") == [2, 6]
    assert client.get_metrics(run) == {"mean": 4.0}
    with pytest.raises(InvalidInput, match="a class at the top of a file, or an object made of it"):
        client.run(flow=Count, data="rows.jsonl")


@pytest.mark.parametrize("kind", [Prompty, AsyncPrompty])
def test_a_prompty_that_was_loaded_with_another_model_runs_with_that(here: Path, kind: type[Prompty]) -> None:
    (here / "chat.prompty").write_text("---\nname: chat\ninputs: {text: {type: string}}\n---\nuser:\n{{text}}\n")
    with ModelServer() as server:
        model = {"type": "openai", "base_url": server.base_url, "api_key": "k", "model": "m"}
        prompty = kind.load("chat.prompty", model={"configuration": model})
        run = PFClient().run(flow=prompty, data="rows.jsonl", column_mapping={"text": "${data.text}"})
        assert outputs(run) == ["You said: a", "You said: bcd"]
        assert run.properties["system_metrics"]["total_tokens"] > 0
        assert PFClient().test(prompty, inputs={"text": "c"}) == "You said: c"


def test_a_node_takes_a_connection_as_an_object(write_flow: WriteFlow) -> None:
    flow = load_flow(write_flow(ASK, **{"ask.jinja2": "user:\n{{question}}"}))
    with ModelServer() as server:
        connection = AzureOpenAIConnection(name="mine", api_key="k", api_base=server.url)
        flow.context.connections = {"ask": {"connection": connection}}
        assert flow(question="hi") == {"answer": "You said: hi"}


def test_what_is_set_in_configs_and_secrets_is_set_in_the_connection() -> None:
    connections = PFClient().connections
    connections.create_or_update(CustomConnection(name="own", secrets={"key": "one"}, configs={"url": "http://x"}))
    found = connections.get("own")
    found.configs["url"] = "http://y"
    found.secrets["key"] = "two"
    connections.create_or_update(found)
    kept = connections.get("own", with_secrets=True)
    assert (kept.url, kept["key"]) == ("http://y", "two")
    assert dict(found.configs) == {"url": "http://y"}


@pytest.mark.parametrize("secret", ["<user-input>", "<no-change>", "******"])
def test_a_secret_that_is_left_open_is_refused(secret: str) -> None:
    with pytest.raises(InvalidInput, match=r"connection new\.api_key: is .*; wanted the secret itself"):
        PFClient().connections.create_or_update(AzureOpenAIConnection(name="new", api_key=secret, api_base="http://x"))
