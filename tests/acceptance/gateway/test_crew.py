"""`opsloop serve --workers N`: one port, several processes, each of which may die or be replaced while callers ask."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.monitoring import records
from tests.acceptance.models.services import free_port
from tests.acceptance.up import OPSLOOP, environment
from tests.integration.gateway.world import ECHO, OPERATOR, Shop

WORKERS = 3
LONG_S = 60.0


class Serve:
    """`opsloop serve` on the folder of a shop; what it prints is in `log`."""

    def __init__(self, folder: Path, *words: str, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "serve.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [OPSLOOP, "serve", "--project", str(folder), "--port", str(self.port), *words],
                stderr=log,
                env=environment(OPSLOOP_LOG_FORMAT="json", **settings),
            )

    def ready(self) -> None:
        self.wait(lambda: "serving the endpoints" in self.said)

    @property
    def said(self) -> str:
        return self.log.read_text()

    def wait(self, come: object) -> None:
        """Until `come()` is true."""
        assert callable(come)
        pause = threading.Event()
        for _ in range(int(LONG_S / 0.05)):
            if come():
                return
            assert self.process.poll() is None, self.said
            pause.wait(0.05)
        raise AssertionError(self.said)

    def workers(self) -> set[int]:
        """Process ids of the children. Source: proc(5)."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(pid) for pid in children.split()}

    def ask(self) -> httpx.Response:
        """On a connection of its own."""
        body = {"model": "chat", "messages": [{"role": "user", "content": "why?"}]}
        return httpx.post(f"{self.url}/v1/chat/completions", json=body, timeout=LONG_S, trust_env=False)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LONG_S)


class Callers:
    """Threads that ask without a pause, each request on a connection of its own."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._stopping = threading.Event()
        self.answered: list[str] = []
        self.refused: list[str] = []
        self.broken: list[str] = []
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        while not self._stopping.is_set():
            try:
                answer = self._serve.ask()
            except httpx.HTTPError as error:
                self.broken.append(repr(error))
                continue
            (self.answered if answer.status_code == 200 else self.refused).append(answer.headers["x-request-id"])

    def wait_for(self, more: int) -> None:
        enough = len(self.answered) + more
        self._serve.wait(lambda: len(self.answered) >= enough)

    def end(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(LONG_S)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    workspace = open_workspace(CoreSettings(data_dir=tmp_path / ".opsloop"))
    shop = Shop(workspace, tmp_path / "flows")
    shop.endpoint()
    shop.release(ECHO)
    (tmp_path / "opsloop.yaml").write_text("settings: {}\n")
    yield workspace
    workspace.close()


@pytest.fixture
def serve(workspace: Workspace, tmp_path: Path) -> Iterator[Serve]:
    serve = Serve(tmp_path, "--workers", str(WORKERS))
    try:
        serve.ready()
        yield serve
    finally:
        if serve.process.poll() is None:
            serve.stop()


def kept(workspace: Workspace) -> set[str]:
    with workspace.reading(OPERATOR) as uow:
        return {record.request_id for _seq, record in records.newest(uow, limit=100_000)}


def test_a_killed_process_is_replaced_and_its_records_are_stored(serve: Serve, workspace: Workspace) -> None:
    before = serve.workers()
    assert len(before) == WORKERS
    callers = Callers(serve)
    callers.wait_for(30)

    os.kill(min(before), signal.SIGKILL)
    serve.wait(lambda: len(serve.workers()) == WORKERS and min(before) not in serve.workers())
    callers.wait_for(30)
    callers.end()

    assert serve.stop() == 0
    assert callers.refused == []
    assert len(callers.broken) <= 4, "more than the requests that the killed process was answering"
    assert set(callers.answered) <= kept(workspace)


def test_a_restart_replaces_every_process_and_drops_no_request(serve: Serve, workspace: Workspace) -> None:
    before = serve.workers()
    callers = Callers(serve)
    callers.wait_for(10)

    serve.process.send_signal(signal.SIGHUP)
    serve.wait(lambda: len(serve.workers()) == WORKERS and not before & serve.workers())
    callers.wait_for(10)
    callers.end()

    assert serve.stop() == 0
    assert (callers.refused, callers.broken) == ([], [])
    assert set(callers.answered) <= kept(workspace)


def test_whoever_is_asked_tells_the_metrics_of_all_processes(serve: Serve) -> None:
    for _ in range(40):
        assert serve.ask().status_code == 200

    counted = re.compile(r'^inference_requests_total\{.*status="ok".*\} (\d+)', re.M)
    for _ in range(6):
        said = httpx.get(f"{serve.url}/metrics", trust_env=False).text
        assert sum(float(number) for number in counted.findall(said)) == 40, said


def test_processes_end_when_their_parent_was_killed(serve: Serve) -> None:
    workers = serve.workers()
    serve.process.kill()
    serve.process.wait()

    pause = threading.Event()
    for _ in range(int(LONG_S / 0.05)):
        if not any(_runs(pid) for pid in workers):
            return
        pause.wait(0.05)
    raise AssertionError(f"still running: {[pid for pid in workers if _runs(pid)]}")


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_it_serves_callers_and_not_the_console(serve: Serve) -> None:
    def status(path: str) -> int:
        return httpx.get(f"{serve.url}{path}", trust_env=False).status_code

    assert [status(path) for path in ("/health", "/ready", "/v1/models")] == [200, 200, 200]
    assert [status(path) for path in ("/endpoints", "/api/audit")] == [404, 404]


def test_wrong_settings_end_it_with_the_reason(workspace: Workspace, tmp_path: Path) -> None:
    serve = Serve(tmp_path, "--workers", "2", OPSLOOP_GATEWAY_TIMEOUT_S="soon")

    assert serve.process.wait(LONG_S) == 2
    assert "gateway_timeout_s" in serve.said
    assert serve.said.count("Traceback") == 0


def test_workers_of_one_model_are_refused(tmp_path: Path) -> None:
    run = subprocess.run(
        [OPSLOOP, "serve", "--model", "x", "--workers", "2"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=LONG_S,
        check=False,
    )
    assert run.returncode == 2
    assert "--workers" in run.stderr
