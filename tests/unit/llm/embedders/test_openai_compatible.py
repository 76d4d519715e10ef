from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx
import numpy as np
import pytest

from opsloop.core.errors import OpsloopError
from opsloop.llm.embedders.openai_compatible import TEXTS_AT_ONCE, OpenAICompatibleEmbedder
from opsloop.llm.errors import AnswerTooLong, ModelGarbled, ModelRefused, ModelUnavailable
from opsloop.llm.retrying import Patience

Handler = Callable[[httpx.Request], httpx.Response]


def embedder(handler: Handler, waits: list[float] | None = None) -> OpenAICompatibleEmbedder:
    return OpenAICompatibleEmbedder(
        "http://models.test/v1/",
        model="small",
        api_key="secret",
        transport=httpx.MockTransport(handler),
        patience=Patience(draw=lambda low, high: high),
        pause=(waits if waits is not None else []).append,
    )


def lengths(request: httpx.Request) -> httpx.Response:
    """A server whose vectors are (number of letters, 1), sent in the wrong order."""
    texts = json.loads(request.content)["input"]
    data = [{"index": number, "embedding": [len(text), 1]} for number, text in enumerate(texts)]
    return httpx.Response(200, json={"data": data[::-1]})


def test_vectors_come_in_the_order_of_the_texts_with_length_one() -> None:
    rows = embedder(lengths).embed(["aaa", "a"])
    assert rows == pytest.approx(np.array([[3, 1], [1, 1]]) / np.sqrt([[10], [2]]))
    assert rows.dtype == np.float32


def test_many_texts_are_sent_in_several_calls() -> None:
    sizes: list[int] = []

    def counting(request: httpx.Request) -> httpx.Response:
        sizes.append(len(json.loads(request.content)["input"]))
        return lengths(request)

    assert embedder(counting).embed(["x"] * (TEXTS_AT_ONCE + 2)).shape == (TEXTS_AT_ONCE + 2, 2)
    assert sizes == [TEXTS_AT_ONCE, 2]


def test_no_texts_are_no_call() -> None:
    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request)

    assert embedder(never).embed([]).shape == (0, 0)


def test_the_key_and_the_model_are_sent() -> None:
    seen: list[httpx.Request] = []

    def noting(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return lengths(request)

    embedder(noting).embed(["x"])
    assert str(seen[0].url) == "http://models.test/v1/embeddings"
    assert seen[0].headers["authorization"] == "Bearer secret"
    assert json.loads(seen[0].content)["model"] == "small"


def test_a_busy_server_is_asked_again_when_it_says() -> None:
    waits: list[float] = []
    replies = [httpx.Response(429, headers={"retry-after": "7"}), httpx.Response(503)]

    def recovering(request: httpx.Request) -> httpx.Response:
        return replies.pop(0) if replies else lengths(request)

    assert embedder(recovering, waits).embed(["x"]).shape == (1, 2)
    assert waits == [7.0, 1.0]


def away(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route")


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (away, ModelUnavailable),
        (lambda request: httpx.Response(503), ModelUnavailable),
        (lambda request: httpx.Response(401, text="bad key"), ModelRefused),
        (lambda request: httpx.Response(200, text="<html>"), ModelGarbled),
        (lambda request: httpx.Response(200, json=[]), ModelGarbled),
        (lambda request: httpx.Response(200, json={"data": []}), ModelGarbled),
        (lambda request: httpx.Response(200, json={"data": [{"index": 0, "embedding": ["x"]}]}), ModelGarbled),
        (lambda request: httpx.Response(200, text='{"data": [{"index": 0, "embedding": [NaN]}]}'), ModelGarbled),
    ],
)
def test_a_failing_server_is_named_in_a_sentence(handler: Handler, error: type[OpsloopError]) -> None:
    with pytest.raises(error, match=r"http://models\.test/v1"):
        embedder(handler).embed(["x"])


def test_a_server_that_sends_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_LLM_ANSWER_LIMIT_BYTES", "10000")
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 50_000
            yield b" " * 50_000

    with pytest.raises(AnswerTooLong, match="over the limit of 260000 bytes"):
        embedder(lambda _: httpx.Response(200, content=endless())).embed(["one text"])
    assert sent <= 350_000
