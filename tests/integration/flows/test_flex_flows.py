"""Flex flows: functions and classes of users' Python, run as flows."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsloop.flows.batch import run_batch
from opsloop.flows.errors import FlowInvalid, FlowRunError, InputInvalid
from opsloop.flows.loaded import load
from opsloop.flows.results import FlowResult, TextDelta
from opsloop.testing.model_server import ModelServer

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_flow(code: str, entry: str = "work:run", more: str = "", **files: str) -> Path:
        (tmp_path / "flow.flex.yaml").write_text(f"entry: {entry}\n{more}")
        for name, text in {"work.py": code, **files}.items():
            (tmp_path / name).write_text(text)
        return tmp_path

    return write_flow


def test_a_function_is_a_flow(write: Write) -> None:
    flow = load(write("from helper import shout\ndef run(text: str, times: int = 2):\n    return shout(text) * times\n",
                      **{"helper.py": "def shout(text):\n    return text.upper()\n"}))  # fmt: skip
    assert flow.run_sync({"text": "ab"}).outputs == {"output": "ABAB"}
    assert flow.run_sync({"text": "ab", "times": "3"}).outputs == {"output": "ABABAB"}


@pytest.mark.parametrize(
    "code",
    [
        "def run(x: int):\n    return {'a': x, 'b': x + 1}\n",
        "from dataclasses import dataclass\n@dataclass\nclass R:\n    a: int\n    b: int\n"
        "def run(x: int) -> R:\n    return R(x, x + 1)\n",
        "from typing import TypedDict\nclass R(TypedDict):\n    a: int\n    b: int\n"
        "async def run(x: int) -> R:\n    return R(a=x, b=x + 1)\n",
    ],
)
def test_what_it_gives_by_name_are_the_outputs(write: Write, code: str) -> None:
    assert load(write(code)).run_sync({"x": 1}).outputs == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    "code",
    [
        "def run(text: str, chat_history: list = None):\n    yield from text.split('-')\n",
        "async def run(text: str, chat_history: list = None):\n    for each in text.split('-'):\n        yield each\n",
        "class Chat:\n    def __call__(self, text: str, chat_history: list = None):\n"
        "        return (part for part in text.split('-'))\nrun = Chat()\n",
    ],
)
def test_a_generator_is_streamed_and_put_together(write: Write, code: str) -> None:
    more = "inputs:\n  text: {type: string}\n  chat_history: {type: list}\n"
    flow = load(write(code, more=more))

    async def events() -> list[TextDelta | FlowResult]:
        return [event async for event in flow.stream({"text": "a-b-c"})]

    *pieces, result = asyncio.run(events())
    assert [each.text for each in pieces if isinstance(each, TextDelta)] == ["a", "b", "c"]
    assert isinstance(result, FlowResult)
    assert result.outputs == {"output": "abc"}


JUDGE = """
made = []

class Judge:
    def __init__(self, limit: int = 10, *, name: str = "judge"):
        self.limit, self.name = limit, name
        made.append(self)

    def __call__(self, score: int):
        return {"good": score >= self.limit, "made": len(made)}

    def __aggregate__(self, line_results: list) -> dict:
        return {"good": sum(each["good"] for each in line_results), "share": 0.5, "name": self.name}
"""


def test_a_class_is_made_once_and_aggregates_all_rows(write: Write) -> None:
    flow = load(write(JUDGE, "work:Judge"), init={"limit": "3"})
    done = asyncio.run(run_batch(flow, [{"score": n} for n in range(5)]))
    assert [row.outputs["good"] for row in done.rows] == [False, False, False, True, True]
    assert {row.outputs["made"] for row in done.rows} == {1}
    assert done.aggregate.metrics == {"good": 2, "share": 0.5}


def test_the_sample_says_how_a_class_is_made(write: Write) -> None:
    more = "sample:\n  init: {limit: 1}\n  inputs: {score: 1}\n"
    assert load(write(JUDGE, "work:Judge", more)).run_sync({"score": 1}).outputs["good"] is True


def test_a_default_that_is_no_literal_is_left_to_python(write: Write) -> None:
    code = "NONE = object()\ndef run(x=NONE, y: int = 1 + 1):\n    return {'x': x is NONE, 'y': y}\n"
    assert load(write(code)).run_sync({}).outputs == {"x": True, "y": 2}


@pytest.mark.parametrize(
    ("code", "entry", "init", "sentence"),
    [
        ("import gone\ndef run(): pass\n", "work:run", None, "wanted Python that loads"),
        ("run = 3\n", "work:run", None, "entry is 'work:run'; wanted a function or class"),
        ("class A:\n    pass\n", "work:A", None, "wanted a class with a method __call__"),
        (JUDGE, "work:Judge", {"limits": 3}, "init is 'limits'; wanted what Judge .*; did you mean 'limit"),
        (JUDGE, "work:Judge", {"limit": "many"}, "init.limit is 'many'; wanted a whole number"),
        (JUDGE.replace("limit: int = 10", "limit: int"), "work:Judge", None, "init.limit is None; wanted a value"),
        ("class A:\n    def __init__(self): raise ValueError('no')\n    def __call__(self): pass\n", "work:A", None,
         "wanted a class that can be made .ValueError: no."),
        ("def run(): pass\n", "no_such_module:run", None, "wanted a module of the flow's folder or an installed one"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_when_it_is_loaded(
    write: Write, code: str, entry: str, init: dict[str, Any] | None, sentence: str
) -> None:
    with pytest.raises(FlowInvalid, match=sentence):
        load(write(code, entry), init=init)


def test_a_missing_input_and_a_failure_name_the_place(write: Write) -> None:
    flow = load(write("def run(x: int):\n    return 1 / x\n"))
    with pytest.raises(InputInvalid, match=r"inputs.x is missing"):
        flow.run_sync({})
    with pytest.raises(FlowRunError, match=r"node 'run' of flow .* failed: ZeroDivisionError.*\(work.py, line 2\)"):
        flow.run_sync({"x": 0})


CHAT = """
from pathlib import Path
from promptflow.core import AzureOpenAIModelConfiguration, Prompty
from promptflow.tracing import trace

class ChatFlow:
    def __init__(self, model_config: AzureOpenAIModelConfiguration, max_total_token: int = 100):
        self.model_config = model_config

    @trace
    def __call__(self, question: str = "Hi", chat_history: list = None) -> str:
        source = Path(__file__).parent / "chat.prompty"
        prompty = Prompty.load(source=source, model={"configuration": self.model_config})
        return prompty(question=question, chat_history=chat_history or [])
"""
PROMPTY = """---
model: {configuration: {type: azure_openai, azure_deployment: x}, parameters: {stream: STREAM}}
inputs: {question: {type: string}, chat_history: {type: list}}
---
user:
{{question}}
"""


@pytest.mark.parametrize("stream", ["false", "true"])
def test_a_class_that_asks_a_prompty_finds_its_connection_and_counts_its_tokens(write: Write, stream: str) -> None:
    with ModelServer() as server:
        connection = {"type": "azure_open_ai", "api_base": server.azure_endpoint, "api_key": "k"}
        path = write(CHAT, "work:ChatFlow", **{"chat.prompty": PROMPTY.replace("STREAM", stream)})
        init = {"model_config": {"connection": "mine", "azure_deployment": "gpt-4o"}}
        result = load(path, init=init, connections={"mine": connection}).run_sync({"question": "Why?"})
        assert result.outputs == {"output": "You said: Why?"}
        assert server.calls[0].model == "gpt-4o"
        assert (result.tokens.calls, result.tokens.completion > 0) == (1, True)
