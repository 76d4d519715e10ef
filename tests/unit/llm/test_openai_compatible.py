import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from opsloop.core.clock import FakeClock
from opsloop.llm.errors import ModelGarbled, ModelRefused, ModelUnavailable
from opsloop.llm.openai_compatible import OpenAICompatible
from opsloop.llm.port import Completion, Usage
from opsloop.llm.retrying import Patience

HELLO = [{"role": "user", "content": "hello"}]
Answer = Callable[[httpx.Request], httpx.Response]


class Server:
    """A model server that gives scripted answers, and remembers what it was asked and how long callers waited."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []
        self.headers: list[httpx.Headers] = []
        self.waits: list[float] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(json.loads(request.content))
        self.headers.append(request.headers)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def pause(self, seconds: float) -> None:
        self.waits.append(seconds)

    def provider(self) -> OpenAICompatible:
        return OpenAICompatible(
            "http://model.test/v1/",
            api_key="sk-secret",
            model="m1",
            patience=Patience(draw=lambda low, high: high),
            clock=FakeClock(),
            transport=httpx.MockTransport(self.handle),
            pause=self.pause,
        )

    def chat(self, **parameters: Any) -> Completion:
        async def ask() -> Completion:
            provider = self.provider()
            try:
                return await provider.chat(HELLO, **parameters)
            finally:
                await provider.aclose()

        return asyncio.run(ask())

    def stream(self) -> list[str | Completion]:
        async def ask() -> list[str | Completion]:
            provider = self.provider()
            try:
                return [piece async for piece in provider.stream(HELLO)]
            finally:
                await provider.aclose()

        return asyncio.run(ask())


def good(text: str = "hi") -> httpx.Response:
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    return httpx.Response(200, json={"model": "m1-0901", "choices": [choice], "usage": usage})


def test_an_answer_comes_with_its_model_and_token_counts() -> None:
    server = Server(good())
    completion = server.chat(temperature=0.5, max_tokens=None)
    assert (completion.text, completion.model, completion.usage) == ("hi", "m1-0901", Usage(3, 1))
    assert server.asked == [{"model": "m1", "temperature": 0.5, "messages": HELLO}]
    assert server.headers[0]["authorization"] == "Bearer sk-secret"


def test_an_answer_without_counts_has_no_usage() -> None:
    server = Server(httpx.Response(200, json={"choices": [{"message": {"content": "x"}}]}))
    assert server.chat().usage is None


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(status: int) -> None:
    server = Server(httpx.Response(status), httpx.Response(status), good())
    assert server.chat().text == "hi"
    assert server.waits == [0.5, 1.0]


def test_retry_after_is_honoured() -> None:
    server = Server(httpx.Response(429, headers={"retry-after": "7"}), good())
    server.chat()
    assert server.waits == [7.0]


def test_giving_up_says_what_the_server_said() -> None:
    server = Server(*[httpx.Response(503, json={"error": {"message": "overloaded"}}) for _ in range(4)])
    with pytest.raises(ModelUnavailable, match="503: overloaded"):
        server.chat()
    assert len(server.asked) == 4


def test_a_server_that_is_not_there_is_unavailable() -> None:
    server = Server(*[httpx.ConnectError("refused") for _ in range(4)])
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        server.chat()


def test_a_refusal_is_not_tried_again_and_hides_the_key() -> None:
    server = Server(httpx.Response(401, json={"error": {"message": "bad key"}}))
    with pytest.raises(ModelRefused, match="status 401: bad key") as caught:
        server.chat()
    assert "sk-secret" not in str(caught.value)
    assert "sk-secret" not in repr(server.provider())


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"choices": []}', b"[1]", b'{"choices": [{"message": null}]}'])
def test_garbage_is_named_as_such(body: bytes) -> None:
    with pytest.raises(ModelGarbled, match="not of OpenAI's form"):
        Server(httpx.Response(200, content=body)).chat()


def sse(*chunks: object) -> httpx.Response:
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks] + ["data: [DONE]\n\n"]
    return httpx.Response(200, content="".join(lines).encode())


def delta(**parts: object) -> dict[str, object]:
    return {"choices": [{"delta": parts, "finish_reason": None}]}


def test_a_stream_ends_with_the_whole_answer() -> None:
    last = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
    server = Server(sse(delta(role="assistant"), delta(content="he"), delta(content="llo"), last))
    *pieces, completion = server.stream()
    assert pieces == ["he", "llo"]
    assert isinstance(completion, Completion)
    assert (completion.text, completion.usage) == ("hello", Usage(3, 2))
    assert server.asked[0]["stream_options"] == {"include_usage": True}


def test_tool_calls_are_put_together_from_a_stream() -> None:
    first = {"index": 0, "id": "c1", "function": {"name": "add", "arguments": '{"a"'}}
    second = {"index": 0, "function": {"arguments": ": 1}"}}
    completion = Server(sse(delta(tool_calls=[first]), delta(tool_calls=[second]))).stream()[-1]
    assert isinstance(completion, Completion)
    assert completion.message["tool_calls"][0]["function"] == {"name": "add", "arguments": '{"a": 1}'}


def test_garbage_in_a_stream_is_named_as_such() -> None:
    with pytest.raises(ModelGarbled):
        Server(httpx.Response(200, content=b"data: {oops\n\n")).stream()


def test_one_provider_works_on_several_loops() -> None:
    server = Server(good("a"), good("b"))
    provider = server.provider()

    async def ask() -> str:
        try:
            return (await provider.chat(HELLO)).text
        finally:
            await provider.aclose()

    assert [asyncio.run(ask()), asyncio.run(ask())] == ["a", "b"]
