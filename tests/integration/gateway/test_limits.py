"""Bodies, crowds, callers that go away, and the end of the gateway."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse

import httpx
import pytest

from opsloop.core.workspace import Workspace
from opsloop.gateway.app import Gateway
from opsloop.monitoring import metrics
from tests.integration.gateway.world import (
    ECHO,
    HANGS,
    STREAMING_DAG,
    STREAMS_AND_HANGS,
    WAITS,
    Live,
    Shop,
    Signals,
    ask,
)

Start = Callable[[], Live]
PATH = "/v1/chat/completions"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small limits, read when the workspace of the test is opened."""
    monkeypatch.setenv("OPSLOOP_GATEWAY_MAX_CONCURRENT", "1")
    monkeypatch.setenv("OPSLOOP_GATEWAY_BODY_TIMEOUT_S", "0.2")
    monkeypatch.setenv("OPSLOOP_GATEWAY_STREAM_TIMEOUT_S", "0.2")


@pytest.fixture
def elsewhere() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def request_bytes(question: str = "why?", **more: object) -> bytes:
    body = json.dumps({"model": "chat", "messages": [{"role": "user", "content": question}], **more}).encode()
    head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def received(connection: socket.socket) -> tuple[int, bytes]:
    answer = HTTPResponse(connection)
    answer.begin()
    return answer.status, answer.read()


def test_an_announced_body_over_the_limit_is_refused_before_it_is_read(shop: Shop, live: Start) -> None:
    shop.release(ECHO)
    with socket.create_connection(live().address, timeout=60) as connection:
        connection.sendall(f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 30000\r\n\r\n".encode())
        status, body = received(connection)
    assert status == 413
    assert b"20000 bytes" in body


def test_a_chunked_body_over_the_limit_is_refused(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(ECHO)
    answer = http.post(f"{live().url}{PATH}", content=(b" " * 5_000 for _ in range(5)))
    assert answer.status_code == 413
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_chunked_body_within_the_limit_is_answered(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(ECHO)
    body = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "why?"}]}).encode()
    answer = http.post(f"{live().url}{PATH}", content=(body[at : at + 7] for at in range(0, len(body), 7)))
    assert answer.status_code == 200


def test_a_body_that_does_not_come_is_not_waited_for(few: None, shop: Shop, live: Start) -> None:
    shop.release(ECHO)
    with socket.create_connection(live().address, timeout=60) as connection:
        connection.sendall(f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 90\r\n\r\n{{".encode())
        status, body = received(connection)
    assert status == 400
    assert b"did not arrive within 0.2 s" in body


def test_over_the_limit_of_running_requests_callers_get_503_and_a_record(
    few: None, shop: Shop, live: Start, http: httpx.Client, signals: Signals, elsewhere: ThreadPoolExecutor
) -> None:
    shop.release(WAITS)
    running = live()
    first = elsewhere.submit(ask, http, running)
    assert signals.entered.wait(60)
    shed = ask(http, running)
    assert (shed.status_code, shed.headers["retry-after"]) == (503, "1")
    assert shed.json()["error"]["code"] == "overloaded"
    signals.proceed.set()
    assert first.result(30).status_code == 200
    assert ask(http, running).status_code == 200
    running.drain()
    assert sorted(record.status for record in shop.records()) == ["ok", "ok", "shed"]
    assert metrics.REGISTRY.get_sample_value("gateway_requests_in_flight") == 0


@pytest.mark.parametrize("stream", [False, True])
def test_a_caller_that_goes_away_cancels_the_flow(shop: Shop, live: Start, signals: Signals, stream: bool) -> None:
    if stream:
        shop.release(STREAMS_AND_HANGS, dag=STREAMING_DAG)
    else:
        shop.release(HANGS)
    running = live()
    with socket.create_connection(running.address, timeout=60) as connection:
        connection.sendall(request_bytes(stream=stream))
        assert signals.entered.wait(60)
    assert signals.left.wait(60)
    running.drain()
    (record,) = shop.records()
    assert (record.status, record.error_type, record.http_status) == ("cancelled", "CallerGone", 499)
    assert record.streamed is stream


def test_a_stream_that_takes_too_long_ends_with_an_error(
    few: None, shop: Shop, live: Start, http: httpx.Client, signals: Signals
) -> None:
    shop.release(STREAMS_AND_HANGS, dag=STREAMING_DAG)
    running = live()
    answer = ask(http, running, stream=True)
    assert '"code":"answer_timed_out"' in answer.text
    assert "[DONE]" not in answer.text
    assert signals.left.wait(60)
    running.drain()
    (record,) = shop.records()
    assert (record.status, record.error_type) == ("error", "AnswerTimedOut")


def test_draining_finishes_what_is_under_way_and_takes_nothing_new(
    shop: Shop, live: Start, http: httpx.Client, signals: Signals, elsewhere: ThreadPoolExecutor
) -> None:
    shop.release(WAITS)
    running = live()
    first = elsewhere.submit(ask, http, running)
    assert signals.entered.wait(60)
    drained = elsewhere.submit(running.drain)
    # The drain begins in another thread: requests before it are answered, one of those after it is the proof.
    while (late := http.get(f"{running.url}/v1/models")).status_code == 200:
        pass
    assert (late.status_code, late.headers["retry-after"]) == (503, "1")
    assert not drained.done()
    signals.proceed.set()
    assert first.result(30).status_code == 200
    drained.result(30)
    assert [record.status for record in shop.records()] == ["ok"]


def test_what_does_not_end_in_time_is_cut_off_with_a_503(
    shop: Shop, live: Start, http: httpx.Client, signals: Signals, elsewhere: ThreadPoolExecutor
) -> None:
    shop.release(HANGS)
    running = live()
    first = elsewhere.submit(ask, http, running)
    assert signals.entered.wait(60)
    running.drain(timeout_s=0.05)
    assert first.result(30).status_code == 503
    assert signals.left.is_set()
    (record,) = shop.records()
    assert (record.status, record.error_type) == ("cancelled", "Draining")


@pytest.mark.anyio
async def test_a_drain_ends_when_the_last_request_does_so_as_its_time_is_over(sqlite_workspace: Workspace) -> None:
    gateway = Gateway(sqlite_workspace)
    await gateway.start()
    gateway._idle.clear()  # as it is until the loop has run the end of the last request
    await gateway.drain(timeout_s=0.01)
    gateway._idle.set()
