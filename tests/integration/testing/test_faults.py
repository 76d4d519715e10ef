"""What clients meet on the wire when a script asks for a fault, and what the server counted."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import openai
import pytest

from opsloop.core.errors import InvalidInput
from opsloop.testing.model_server import ModelServer

ASK: Any = [{"role": "user", "content": "one two three four five"}]
BODY = {"model": "m", "messages": ASK}
LIMIT_S = 60.0


def client_of(server: ModelServer, **options: Any) -> openai.OpenAI:
    return openai.OpenAI(**{"base_url": server.base_url, "api_key": "any", "max_retries": 0, "timeout": 30, **options})


def ask(client: openai.OpenAI, **more: Any) -> Any:
    return client.chat.completions.create(model="m", messages=ASK, **more)


def post(server: ModelServer, **more: Any) -> httpx.Response:
    return httpx.post(f"{server.base_url}/chat/completions", json={**BODY, **more}, timeout=LIMIT_S, trust_env=False)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_the_official_client_tries_again_and_the_second_answer_is_the_first(status: int) -> None:
    rule = {"status": status, "retry_after": 0.01, "times": 1}
    with ModelServer([rule]) as server, client_of(server, max_retries=1) as client:
        assert ask(client).choices[0].message.content == "You said: one two three four five"
        assert (server.count(), server.count(status=status), server.count(status=200)) == (2, 1, 1)
        assert server.answered_more_than_once() == {}
        assert len({call.digest for call in server.calls}) == 1


def test_an_error_reaches_the_client_as_its_own_kind() -> None:
    with ModelServer([{"status": 429, "retry_after": 7}]) as server, client_of(server) as client:
        with pytest.raises(openai.RateLimitError) as limited:
            ask(client)
        assert limited.value.response.headers["retry-after"] == "7"
        assert limited.value.code == "rate_limit_exceeded"


@pytest.mark.parametrize("key", ["wrong", "wröng"])
def test_a_wrong_key_is_refused_and_the_right_one_is_taken_both_ways(key: str) -> None:
    with ModelServer(api_key="right") as server:
        body = {"json": BODY, "timeout": LIMIT_S, "trust_env": False}
        url = f"{server.base_url}/chat/completions"
        refused = httpx.post(url, headers={"authorization": f"Bearer {key}".encode()}, **body)  # type: ignore[arg-type]
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
        assert httpx.post(url, **body).json()["error"]["code"] == "missing_api_key"  # type: ignore[arg-type]
        assert httpx.post(url, headers={"api-key": "right"}, **body).status_code == 200  # type: ignore[arg-type]
        with client_of(server, api_key="right") as client:
            assert ask(client).choices
        with client_of(server) as client, pytest.raises(openai.AuthenticationError):
            client.models.list()


def test_a_connection_that_closes_in_the_middle_of_a_body_is_seen() -> None:
    with ModelServer([{"disconnect": "mid_body", "times": 1}]) as server:
        with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
            post(server)
        assert post(server).status_code == 200
        assert [call.status for call in server.calls] == [None, 200]


def test_a_connection_that_closes_before_the_first_byte_is_seen() -> None:
    with ModelServer([{"disconnect": "before"}]) as server, pytest.raises(httpx.RemoteProtocolError):
        post(server)


def test_a_stream_breaks_off_after_so_many_events() -> None:
    with ModelServer([{"truncate_stream": 3, "chunk_ms": 1}]) as server, client_of(server) as client:
        texts: list[str] = []
        with pytest.raises(openai.APIConnectionError):
            _read(ask(client, stream=True), texts)
        assert texts == ["", "You", " said"]


def _read(stream: Any, texts: list[str]) -> None:
    for chunk in stream:
        texts.append(chunk.choices[0].delta.content or "")


def test_the_events_of_a_stream_come_one_by_one_when_there_is_a_pause_between_them() -> None:
    with ModelServer(chunk_ms=1) as server, client_of(server) as client:
        texts: list[str] = []
        _read(ask(client, stream=True), texts)
        assert "".join(texts) == "You said: one two three four five"


@pytest.mark.parametrize("garbage", ["json", "html", "empty", "bytes"])
def test_garbage_comes_with_status_200(garbage: str) -> None:
    with ModelServer([{"garbage": garbage}]) as server:
        response = post(server)
        assert response.status_code == 200
        with pytest.raises(ValueError, match=r"."):
            response.json()


def test_a_body_of_many_megabytes_arrives_whole_and_streamed() -> None:
    with ModelServer([{"size_mb": 20}]) as server, client_of(server) as client:
        assert len(ask(client).choices[0].message.content) == 20_000_000
        texts: list[str] = []
        _read(ask(client, stream=True), texts)
        assert sum(map(len, texts)) == 20_000_000


def test_an_answer_that_never_comes_ends_with_the_callers_patience() -> None:
    with ModelServer([{"never": True}]) as server:
        client = client_of(server, timeout=0.05)
        with client, pytest.raises(openai.APITimeoutError):
            ask(client)


def test_the_most_calls_at_once_are_counted_and_stopping_ends_them_all() -> None:
    server = ModelServer([{"never": True, "when": {"contains": "one"}}])
    server.start()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(post, server) for _ in range(8)]
        seen = threading.Event()
        for _ in range(3000):
            if server.max_in_flight == 8:
                break
            seen.wait(0.01)
        server.stop()
        errors = [each.exception(LIMIT_S) for each in waiting]
    assert server.max_in_flight == 8
    assert all(isinstance(error, httpx.TransportError) for error in errors)


def test_an_answer_that_is_still_due_does_not_hold_up_the_end() -> None:
    with ThreadPoolExecutor(1) as pool:
        with ModelServer(latency_ms=3_600_000) as server:
            waiting = pool.submit(post, server)
            seen = threading.Event()
            for _ in range(3000):
                if server.count("chat"):
                    break
                seen.wait(0.01)
        assert isinstance(waiting.exception(LIMIT_S), httpx.TransportError)


def test_calls_are_counted_by_what_they_were() -> None:
    with ModelServer() as server, client_of(server) as client:
        ask(client)
        ask(client)
        client.embeddings.create(model="other", input="two")
        assert (server.count(), server.count("chat"), server.count(model="other")) == (3, 2, 1)
        assert server.count(contains="two three") == 2
        assert server.calls[-1].json["input"] == "two"
        [(digest, times)] = server.answered_more_than_once().items()
        assert (digest, times) == (server.calls[0].digest, 2)
        told = httpx.get(f"{server.url}/_calls", trust_env=False).json()
        assert told["by_endpoint"] == {"chat": 2, "embeddings": 1}
        assert told["answered_more_than_once"] == {digest: 2}
        server.reset()
        assert (server.count(), server.max_in_flight) == (0, 0)


def test_a_request_has_the_same_digest_whatever_the_order_of_its_keys() -> None:
    with ModelServer() as server:
        url = f"{server.base_url}/chat/completions"
        for body in (BODY, dict(reversed(BODY.items()))):
            httpx.post(url, json=body, trust_env=False)
        post(server, seed=1)
        digests = [call.digest for call in server.calls]
        assert digests[0] == digests[1] != digests[2]


def test_rules_can_change_while_the_server_runs() -> None:
    with ModelServer([{"answer": "before"}]) as server, client_of(server) as client:
        assert ask(client).choices[0].message.content == "before"
        server.follow([{"answer": "after"}])
        assert ask(client).choices[0].message.content == "after"
        with pytest.raises(InvalidInput, match=r"script\[0\]"):
            server.follow([{"answr": "?"}])


def test_what_is_no_http_is_refused(server: ModelServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_S) as raw:
        raw.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert raw.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_a_server_starts_again_on_a_port_of_its_own() -> None:
    with ModelServer() as first, ModelServer() as second:
        assert first.port != second.port
        with pytest.raises(OSError, match="in use"):
            ModelServer(port=first.port).start()
