"""`opsloop serve --workers`: real processes on one port, killed, replaced and stopped under load."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.monitoring import records
from opsloop.releases import rollouts
from tests.acceptance.up import OPSLOOP, environment, opsloop
from tests.integration.gateway.world import ECHO, OPERATOR, Shop

CALLERS = 6
WITHIN_S = 300.0


class Crew:
    """`opsloop serve --workers 2`, and what it says."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "log"
        command = [OPSLOOP, "serve", "--workers", "2", "--project", str(folder), "--port", str(port)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment(OPSLOOP_LOG_FORMAT="json"), text=True
            )
        self.until(lambda: "with 2 processes" in self.log.read_text())

    def until(self, holds: object) -> None:
        assert callable(holds)
        deadline_s = time.monotonic() + WITHIN_S
        while not holds():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline_s, self.log.read_text()
            time.sleep(0.05)

    def workers(self) -> set[int]:
        pid = self.process.pid
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return {int(each) for each in found if b"workers.worker" in _command(int(each))}

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, trust_env=False, timeout=120)

    def is_whole(self) -> bool:
        with suppress(httpx.HTTPError):
            return bool(self.get("/ready").json()["workers"] == {"wanted": 2, "serving": 2})
        return False

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(60) == 0, self.log.read_text()


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


class Callers:
    """Threads that ask without a pause, over connections that are kept."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/v1/chat/completions"
        self.answered: list[tuple[float, str, str]] = []
        """When it was asked, the request's id, the arm."""
        self.failed: list[str] = []
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(CALLERS)]
        for each in self._threads:
            each.start()

    def _ask(self, number: int) -> None:
        count = 0
        with httpx.Client(trust_env=False, timeout=120) as client:
            while not self._stopping.is_set():
                count += 1
                asked = {"messages": [{"role": "user", "content": "why?"}], "user": f"{number}-{count}"}
                at = time.monotonic()
                try:
                    answer = client.post(self._url, json={"model": "chat", **asked})
                except httpx.HTTPError as error:
                    self.failed.append(f"{type(error).__name__} {error}")
                    continue
                if answer.status_code == 200:
                    arm = answer.json()["choices"][0]["message"]["opsloop"]["arm"]
                    self.answered.append((at, answer.headers["x-request-id"], arm))
                else:
                    self.failed.append(f"{answer.status_code} {answer.text}")

    def more(self, count: int) -> None:
        """Until so many more were answered."""
        wanted, deadline_s = len(self.answered) + count, time.monotonic() + WITHIN_S
        while len(self.answered) < wanted:
            assert time.monotonic() < deadline_s, self.failed
            time.sleep(0.01)

    def end(self) -> None:
        self._stopping.set()
        for each in self._threads:
            each.join(60)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    (tmp_path / "opsloop.yaml").write_text("project: shop\n")
    workspace = open_workspace(CoreSettings(data_dir=tmp_path / ".opsloop"))
    shop = Shop(workspace, tmp_path / "flows")
    shop.endpoint()
    shop.release(ECHO)
    yield shop
    workspace.close()


@pytest.fixture
def crew(tmp_path: Path, shop: Shop, port: int) -> Iterator[Crew]:
    crew = Crew(tmp_path, port)
    yield crew
    if crew.process.poll() is None:
        crew.process.kill()


def test_a_worker_that_is_killed_under_load_costs_its_own_requests_and_no_record(crew: Crew, shop: Shop) -> None:
    callers = Callers(crew.url)
    try:
        callers.more(50)
        dead = min(crew.workers())
        os.kill(dead, signal.SIGKILL)
        callers.more(50)  # the other goes on
        crew.until(lambda: len(crew.workers() - {dead}) == 2 and crew.is_whole())
        callers.more(50)
    finally:
        callers.end()
    assert len(callers.failed) <= CALLERS, callers.failed  # at most one was under way on each connection
    counted = _counted(crew.get("/metrics").text)
    crew.stop()
    ids = _kept(shop)
    assert len(ids) == len(set(ids))
    assert {request_id for _, request_id, _ in callers.answered} <= set(ids)
    # What was answered is counted, over the death of the process that counted it and by whichever worker is asked.
    assert len(callers.answered) <= counted <= len(ids)
    assert list((shop.workspace.data_dir / "spool").iterdir()) == []


def test_sighup_replaces_every_worker_and_drops_no_request(crew: Crew) -> None:
    before = crew.workers()
    callers = Callers(crew.url)
    try:
        callers.more(50)
        crew.process.send_signal(signal.SIGHUP)
        crew.until(lambda: len(crew.workers()) == 2 and not crew.workers() & before and crew.is_whole())
        callers.more(50)
    finally:
        callers.end()
    assert callers.failed == []
    assert _counted(crew.get("/metrics").text) == len(callers.answered)
    crew.stop()


def test_sigterm_lets_every_request_be_answered(crew: Crew, shop: Shop) -> None:
    callers = Callers(crew.url)
    callers.more(50)
    crew.process.terminate()
    code = crew.process.wait(60)
    callers.end()
    assert code == 0
    # Nobody listens any more; who was let in got an answer. The system may have taken a connection of each caller that
    # no worker had accepted yet.
    kinds = [each.split()[0] for each in callers.failed]
    assert set(kinds) <= {"ConnectError", "ReadError", "RemoteProtocolError", "503"}
    assert len([each for each in kinds if each not in ("ConnectError", "503")]) <= CALLERS
    assert {request_id for _, request_id, _ in callers.answered} <= set(_kept(shop))


def test_every_worker_follows_a_rollback_within_a_second(crew: Crew, shop: Shop) -> None:
    rollout = shop.canary(ECHO)
    callers = Callers(crew.url)
    try:
        crew.until(lambda: any(arm == "candidate" for _, _, arm in callers.answered[-20:]))
        with shop.workspace.writing(OPERATOR) as uow:
            rollouts.roll_back(uow, rollout)
        back_s = time.monotonic()
        crew.until(lambda: time.monotonic() > back_s + 1.5)
    finally:
        callers.end()
    assert {arm for at, _, arm in callers.answered if at > back_s + 1.0} == {"stable"}
    assert callers.failed == []
    crew.stop()


def test_workers_end_when_their_parent_is_killed(crew: Crew) -> None:
    workers = crew.workers()
    crew.process.kill()
    crew.process.wait()
    deadline_s = time.monotonic() + WITHIN_S
    while any(b"workers.worker" in _command(each) for each in workers):
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def test_other_pages_are_the_platforms(crew: Crew) -> None:
    answer = crew.get("/api/endpoints")
    assert answer.status_code == 404
    assert "opsloop up" in answer.text
    crew.stop()


def test_a_model_alone_is_served_by_one_process(tmp_path: Path) -> None:
    done = opsloop("serve", "--model", "x.onnx", "--workers", "2", cwd=tmp_path)
    assert done.returncode == 2
    assert "--workers" in done.stderr
    assert "with --model" in done.stderr


def _kept(shop: Shop) -> list[str]:
    with shop.workspace.reading(OPERATOR) as uow:
        return [record.request_id for _, record in records.since(uow, "chat", None, limit=1_000_000)]


def test_a_key_of_a_lone_model_is_not_taken_for_one_of_endpoints(tmp_path: Path) -> None:
    done = opsloop("serve", "--key", "k" * 20, cwd=tmp_path)
    assert done.returncode == 2
    assert "API keys" in done.stderr


def _counted(text: str) -> int:
    found = re.findall(r'^inference_requests_total\{.*status="ok".*\} (\S+)$', text, re.M)
    return sum(int(float(each)) for each in found)
