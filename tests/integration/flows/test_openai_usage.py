"""Calls that users' Python makes with OpenAI's own client count for their node."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opsloop.flows.loaded import load
from opsloop.flows.results import TokenUse
from opsloop.testing.model_server import ModelServer

WriteFlow = Callable[..., Path]
DAG = """
    outputs: {y: {type: string, reference: "${work.output}"}}
    nodes: [{name: work, type: python, source: {path: work.py}}]
"""
ASK = "model='m', messages=[{'role': 'user', 'content': 'Hi there'}]"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with ModelServer() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def used(write_flow: WriteFlow, code: str) -> TokenUse:
    lines = ["from promptflow.core import tool", "@tool", *code.splitlines()]
    result = load(write_flow(DAG, **{"work.py": "\n".join(lines)})).run_sync({})
    assert result.outputs["y"]
    return result.tokens


def test_a_call_counts(write_flow: WriteFlow, server: ModelServer) -> None:
    code = (
        "def work():\n    from openai import OpenAI\n    with OpenAI() as client:\n"
        f"        return str(client.chat.completions.create({ASK}))"
    )
    tokens = used(write_flow, code)
    assert (tokens.calls, tokens.uncounted_calls) == (1, 0)
    assert tokens.prompt > 0
    assert tokens.completion > 0


def test_an_awaited_call_counts(write_flow: WriteFlow, server: ModelServer) -> None:
    code = (
        "async def work():\n    from openai import AsyncOpenAI\n    async with AsyncOpenAI() as client:\n"
        f"        return str(await client.chat.completions.create({ASK}))"
    )
    assert used(write_flow, code).completion > 0


@pytest.mark.parametrize(("options", "uncounted"), [("{'include_usage': True}", 0), ("{'include_usage': False}", 1)])
def test_a_stream_counts_or_is_told_to_be_uncounted(
    write_flow: WriteFlow, server: ModelServer, options: str, uncounted: int
) -> None:
    code = (
        "def work():\n    from openai import OpenAI\n    with OpenAI() as client:\n"
        f"        parts = client.chat.completions.create({ASK}, stream=True, stream_options={options})\n"
        "        return ''.join(part.choices[0].delta.content or '' for part in parts if part.choices)"
    )
    tokens = used(write_flow, code)
    assert (tokens.calls, tokens.uncounted_calls) == (1, uncounted)
    assert (tokens.completion > 0) == (uncounted == 0)


def test_completions_and_embeddings_count(write_flow: WriteFlow, server: ModelServer) -> None:
    code = (
        "def work():\n    from openai import OpenAI\n    with OpenAI() as client:\n"
        "        client.embeddings.create(model='e', input='some words')\n"
        "        return client.completions.create(model='m', prompt='Once').choices[0].text"
    )
    tokens = used(write_flow, code)
    assert (tokens.calls, tokens.uncounted_calls) == (2, 0)


def test_outside_of_a_flow_the_client_is_as_it_was(write_flow: WriteFlow, server: ModelServer) -> None:
    import openai

    with openai.OpenAI() as client:
        assert client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}]).choices
