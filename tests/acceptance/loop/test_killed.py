"""SIGKILL at any moment of the loop: nothing acknowledged is missing, and it ends where it would have ended."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import httpx
import pytest

from tests.acceptance.up import Up

LOOP_S = 300.0
KILLS = 5
# TESTS_LONG=1 asks for the long form.
SEEDS = 8 if os.environ.get("TESTS_LONG") else 1


class Caller:
    """A user of the endpoint who remembers what was acknowledged: answers, and thumbs on them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.answers: set[str] = set()
        self.thumbs: set[str] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=60)

    def _run(self) -> None:
        body = {
            "model": "support-chat",
            "messages": [{"role": "user", "content": "Is acupuncture covered?"}],
            "user": "a caller",
        }
        with httpx.Client(base_url=self._url, timeout=120, trust_env=False) as http:
            while not self._stopping.is_set():
                try:
                    answer = http.post("/v1/chat/completions", json=body)
                    if answer.status_code == 200:
                        request = answer.headers["x-request-id"]
                        self.answers.add(request)
                        if http.post("/feedback", json={"request_id": request, "thumb": "up"}).status_code == 201:
                            self.thumbs.add(request)
                except httpx.TransportError:
                    pass
                self._stopping.wait(0.05)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_killed_at_random_moments_it_loses_nothing_and_ends_right(
    project: Path, port: int, started: list[Up], seed: int
) -> None:
    moments = random.Random(seed)
    caller = Caller(f"http://127.0.0.1:{port}")
    for _ in range(KILLS):
        run = Up(project, port)
        started.append(run)
        run.ready()
        threading.Event().wait(moments.uniform(0.0, 6.0))
        run.kill()
    last = Up(project, port)
    started.append(last)
    last.wait_for("Ctrl-C stops it", timeout_s=LOOP_S)
    caller.stop()
    ended_right(last.url)
    nothing_is_missing(last.url, caller)
    assert last.stop() == 0


def ended_right(url: str) -> None:
    state = httpx.get(f"{url}/api/endpoints/support-chat").json()
    assert state["stable"]["number"] == 1
    assert state["rollout"]["status"] == "rolled_back"
    assert httpx.get(f"{url}/api/audit/verify").json()["ok"]
    releases = httpx.get(f"{url}/api/endpoints/support-chat/releases").json()["items"]
    assert {release["number"] for release in releases} == {1, 2}


def nothing_is_missing(url: str, caller: Caller) -> None:
    assert caller.answers, "the caller was never answered: the test saw nothing"
    with httpx.Client(base_url=url, timeout=120, trust_env=False) as http:
        stored = {
            record["request_id"]
            for request in caller.answers
            for record in http.get("/api/requests", params={"request_id": request}).json()["items"]
        }
        heard = {
            given["request_id"]
            for request in caller.thumbs
            for given in http.get("/api/feedback", params={"request_id": request}).json()["items"]
        }
    assert caller.answers <= stored
    assert caller.thumbs <= heard
