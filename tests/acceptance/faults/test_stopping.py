"""SIGTERM and SIGINT drain: who was let in is answered; streams do not hold it up; a second one leaves at once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from opsloop.server.platform import DRAIN_S
from tests.acceptance.faults.conftest import invoke, says_no_traceback
from tests.acceptance.up import Up, opsloop

BOTH = pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])


class UnderWay:
    """Requests that wait inside the flow until they are let go."""

    def __init__(self, run: Up, folder: Path, count: int) -> None:
        self._until = folder / "let-go"
        self._pool = ThreadPoolExecutor(count)
        self.answers: list[Future[httpx.Response]] = [self._pool.submit(self._ask, run.url) for _ in range(count)]
        asked = folder / "let-go.asked"
        for _ in range(600):
            if asked.exists():
                return
            threading.Event().wait(0.05)
        raise AssertionError(f"no request reached the flow:\n{run.said}")

    def _ask(self, url: str) -> httpx.Response:
        with httpx.Client(base_url=url, timeout=120, trust_env=False) as http:
            return invoke(http, "slow", until=str(self._until))

    def let_go(self) -> None:
        self._until.touch()
        self._pool.shutdown()


@BOTH
def test_requests_under_way_are_answered_and_recorded(small: Path, up: Callable[..., Up], how: signal.Signals) -> None:
    running = up(small)
    running.wait_for("Ctrl-C stops it")
    under_way = UnderWay(running, small, 3)
    threading.Event().wait(0.3)  # the other two are on their way, too
    running.process.send_signal(how)
    while can_connect(running.url):
        pass
    assert not any(answer.done() for answer in under_way.answers)
    under_way.let_go()
    answers = [answer.result() for answer in under_way.answers]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert running.ended(within_s=60) == 0
    says_no_traceback(running)

    again = up(small, "--no-demo")
    again.ready()
    with httpx.Client(base_url=again.url, trust_env=False) as http:
        stored = {each["request_id"] for each in http.get("/api/requests").json()["items"]}
    assert {answer.headers["x-request-id"] for answer in answers} <= stored
    assert again.stop() == 0


def can_connect(url: str) -> bool:
    try:
        httpx.get(f"{url}/health", timeout=60, trust_env=False)
    except httpx.TransportError:
        return False
    return True


@BOTH
def test_open_streams_and_idle_connections_do_not_hold_it_up(
    small: Path, up: Callable[..., Up], how: signal.Signals
) -> None:
    running = up(small)
    running.wait_for("Ctrl-C stops it")
    with httpx.Client(base_url=running.url, timeout=120, trust_env=False) as idle, ThreadPoolExecutor(2) as pool:
        assert idle.get("/health").status_code == 200
        heard = [threading.Event() for _ in range(2)]
        ends = [pool.submit(listen, running.url, each) for each in heard]
        assert all(each.wait(60) for each in heard)
        began_s = time.monotonic()
        assert running.stop(how) == 0
        assert time.monotonic() - began_s < DRAIN_S, "it waited for a stream that would go on for ever"
        assert [end.result() for end in ends] == ["ended", "ended"]
    says_no_traceback(running)


def listen(url: str, heard: threading.Event) -> str:
    with httpx.stream("GET", f"{url}/api/events?topics=overview", timeout=60, trust_env=False) as stream:
        for line in stream.iter_lines():
            if line.startswith("data:"):
                heard.set()
    return "ended"


@BOTH
def test_a_second_signal_leaves_at_once_and_loses_nothing(
    small: Path, up: Callable[..., Up], how: signal.Signals
) -> None:
    running = up(small)
    running.wait_for("Ctrl-C stops it")
    with httpx.Client(base_url=running.url, trust_env=False) as http:
        answered = invoke(http, "quick").headers["x-request-id"]
    under_way = UnderWay(running, small, 1)
    running.process.send_signal(how)
    while can_connect(running.url):
        pass
    threading.Event().wait(0.4)  # two signals of one moment are one wish to stop
    running.process.send_signal(how)
    assert running.ended(within_s=60) == 130
    under_way.let_go()
    assert isinstance(under_way.answers[0].exception(), httpx.TransportError)
    assert "stopped at once" in running.said
    says_no_traceback(running)

    again = up(small, "--no-demo")
    again.ready()
    with httpx.Client(base_url=again.url, trust_env=False) as http:
        records = http.get("/api/requests", params={"request_id": answered}).json()["items"]
    assert len(records) == 1
    assert again.stop() == 0
    assert opsloop("audit", "verify", cwd=small).returncode == 0
