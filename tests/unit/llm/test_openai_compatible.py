import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

import httpx
import pytest

from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput
from opsloop.llm.errors import ModelGarbled, ModelRefused, ModelUnavailable
from opsloop.llm.openai_compatible import OpenAICompatible
from opsloop.llm.port import Completion, Usage
from opsloop.llm.retrying import Patience, deadline_s
from opsloop.llm.servers import ModelServer, ServerKind
from opsloop.llm.transport import Reply, TransportFailed

HELLO = [{"role": "user", "content": "hello"}]
PLAIN = ModelServer("http://model.test/v1/", api_key="sk-secret")
AZURE = ModelServer("https://mine.test", kind=ServerKind.AZURE, api_key="sk-secret", api_version="2024-02-01")
T = TypeVar("T")


class Server:
    """A model server that gives scripted answers, and remembers what it was asked and how long callers waited."""

    def __init__(self, *answers: httpx.Response | Exception, server: ModelServer = PLAIN) -> None:
        self.server = server
        self.answers = list(answers)
        self.urls: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.waits: list[float] = []
        self.open = 0

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self.urls.append(url)
        self.asked.append(json.loads(body))
        self.headers.append(dict(headers))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        self.open += 1
        return ScriptedReply(answer, self)

    async def aclose(self) -> None:
        assert self.open == 0, "every reply was closed"

    async def pause(self, seconds: float) -> None:
        self.waits.append(seconds)

    def provider(self) -> OpenAICompatible:
        return OpenAICompatible(
            self.server,
            model="m1",
            patience=Patience(draw=lambda low, high: high),
            clock=FakeClock(),
            transport=self,
            pause=self.pause,
        )

    def ask(self, call: Callable[[OpenAICompatible], Awaitable[T]]) -> T:
        async def ask() -> T:
            provider = self.provider()
            try:
                return await call(provider)
            finally:
                await provider.aclose()

        return asyncio.run(ask())

    def chat(self, **parameters: Any) -> Completion:
        return self.ask(lambda provider: provider.chat(HELLO, **parameters))

    def stream(self) -> list[str | Completion]:
        async def ask() -> list[str | Completion]:
            provider = self.provider()
            try:
                return [piece async for piece in provider.stream(HELLO)]
            finally:
                await provider.aclose()

        return asyncio.run(ask())


class ScriptedReply:
    def __init__(self, answer: httpx.Response, server: Server) -> None:
        self.status = answer.status_code
        self.headers = dict(answer.headers)
        self._body = answer.content
        self._server = server

    async def read(self, limit_bytes: int) -> bytes:
        return self._body

    async def lines(self, limit_bytes: int) -> AsyncIterator[bytes]:
        for line in self._body.splitlines():
            yield line

    async def close(self) -> None:
        self._server.open -= 1


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


def test_the_whole_body_of_the_server_is_kept() -> None:
    assert Server(good()).chat().response == json.loads(good().content)


def test_azure_takes_the_deployment_from_the_path_alone() -> None:
    server = Server(good(), server=AZURE)
    server.chat(model="my-gpt", seed=1)
    assert server.urls == ["https://mine.test/openai/deployments/my-gpt/chat/completions?api-version=2024-02-01"]
    assert server.asked == [{"seed": 1, "messages": HELLO}]
    assert server.headers[0]["api-key"] == "sk-secret"


def test_a_bare_prompt_is_completed() -> None:
    choice = {"text": " world", "finish_reason": "length"}
    server = Server(httpx.Response(200, json={"choices": [choice], "usage": {"prompt_tokens": 1}}))
    completion = server.ask(lambda provider: provider.complete("hello", max_tokens=1))
    assert (completion.text, completion.finish_reason, completion.usage) == (" world", "length", Usage(1, 0))
    assert server.urls == ["http://model.test/v1/completions"]
    assert server.asked == [{"model": "m1", "max_tokens": 1, "prompt": "hello"}]


def vectors(*indexes: int) -> httpx.Response:
    return httpx.Response(200, json={"data": [{"index": index, "embedding": [index, 0.5]} for index in indexes]})


def test_vectors_come_in_the_order_of_their_texts() -> None:
    server = Server(vectors(1, 0))
    found = server.ask(lambda provider: provider.embed(["a", "b"], model="e1"))
    assert found.vectors == [[0.0, 0.5], [1.0, 0.5]]
    assert server.asked == [{"model": "e1", "input": ["a", "b"]}]


@pytest.mark.parametrize("indexes", [(0,), (0, 0), (0, 1, 2)])
def test_another_number_of_vectors_than_of_texts_is_garbage(indexes: tuple[int, ...]) -> None:
    with pytest.raises(ModelGarbled):
        Server(vectors(*indexes)).ask(lambda provider: provider.embed(["a", "b"]))


def test_a_call_must_name_a_model() -> None:
    provider = OpenAICompatible(AZURE)
    with pytest.raises(InvalidInput, match=r"wanted the name of a deployment that https://mine\.test offers"):
        asyncio.run(provider.chat(HELLO))


def test_an_answer_without_counts_is_estimated_and_says_so() -> None:
    server = Server(httpx.Response(200, json={"choices": [{"message": {"content": "four bytes"}}]}))
    assert server.chat().usage == Usage(3 + 3 + 2, 3, estimated=True)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(status: int) -> None:
    server = Server(httpx.Response(status), httpx.Response(status), good())
    assert server.chat().text == "hi"
    assert server.waits == [0.5, 1.0]


def test_retry_after_is_honoured() -> None:
    server = Server(httpx.Response(503, headers={"retry-after": "7"}), good())
    server.chat()
    assert server.waits == [7.0]


def test_a_wait_in_milliseconds_is_honoured() -> None:
    server = Server(httpx.Response(503, headers={"retry-after-ms": "250", "retry-after": "7"}), good())
    server.chat()
    assert server.waits == [0.25]


def test_a_spent_account_is_not_asked_again() -> None:
    spent = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    with pytest.raises(ModelRefused, match="status 429: You exceeded"):
        Server(httpx.Response(429, json=spent)).chat()


def test_no_try_begins_that_the_caller_would_not_wait_for() -> None:
    server = Server(httpx.Response(503, headers={"retry-after": "7"}), good())
    token = deadline_s.set(FakeClock().monotonic_s() + 5)
    try:
        with pytest.raises(ModelUnavailable, match="503"):
            server.chat()
    finally:
        deadline_s.reset(token)
    assert server.waits == []


def test_a_key_that_the_server_repeats_is_hidden() -> None:
    server = Server(httpx.Response(401, json={"error": {"message": "no such key: sk-secret"}}))
    with pytest.raises(ModelRefused, match=r"no such key: \*\*\*"):
        server.chat()


@pytest.mark.parametrize("value", [float("nan"), {1, 2}])
def test_what_cannot_be_sent_is_refused_before_it_is(value: object) -> None:
    with pytest.raises(InvalidInput, match="wanted values of JSON"):
        Server().chat(logit_bias=value)


def test_a_server_that_does_not_stream_is_read_in_one_piece() -> None:
    piece, completion = Server(good("hello")).stream()
    assert piece == "hello"
    assert isinstance(completion, Completion)
    assert completion.usage == Usage(3, 1)


def test_giving_up_says_what_the_server_said() -> None:
    server = Server(*[httpx.Response(503, json={"error": {"message": "overloaded"}}) for _ in range(4)])
    with pytest.raises(ModelUnavailable, match="503: overloaded"):
        server.chat()
    assert len(server.asked) == 4


def test_a_server_that_is_not_there_is_unavailable() -> None:
    server = Server(*[TransportFailed("refused") for _ in range(4)])
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


def test_a_stream_amounts_to_the_body_of_an_answer_in_one_piece() -> None:
    other = {"choices": [{"index": 1, "delta": {"content": "B"}, "finish_reason": "length"}]}
    end = {"id": "c", "model": "m1-0901", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    *pieces, completion = Server(sse(delta(content="A"), other, end)).stream()
    assert pieces == ["A"]
    assert isinstance(completion, Completion)
    assert completion.response == {
        "object": "chat.completion",
        "id": "c",
        "model": "m1-0901",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "A"}, "finish_reason": "stop"},
            {"index": 1, "message": {"role": "assistant", "content": "B"}, "finish_reason": "length"},
        ],
    }


def test_a_stream_that_stops_before_its_end_is_broken() -> None:
    cut = b'data: {"choices": [{"delta": {"content": "he"}}]}\n\n'
    with pytest.raises(ModelUnavailable, match="broke off its answer"):
        Server(httpx.Response(200, content=cut)).stream()


def test_trouble_told_within_a_stream_is_trouble() -> None:
    with pytest.raises(ModelUnavailable, match="broke off its answer: 'overloaded'"):
        Server(sse(delta(content="he"), {"error": {"message": "overloaded"}})).stream()


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
