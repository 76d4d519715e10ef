"""Real processes: drifted rows raise one alarm and one signed notice, through kill -9 and a receiver that fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from opsloop.core.caller import Caller, Role
from opsloop.core.clock import SystemClock
from opsloop.core.notices import signatures
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.monitoring.alarms import service as alarms

ROOT = Path(__file__).parents[3]
SECRET = "s3cret"
READER = Caller("test:reader", Role.VIEWER)
LONG_S = 120


class Receiver:
    """Takes a notice at the third attempt."""

    def __init__(self) -> None:
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.taken = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.came.append((dict(self.headers), body))
                is_taken = len(receiver.came) > 2
                self.send_response(204 if is_taken else 503)
                self.send_header("content-length", "0")
                self.end_headers()
                if is_taken:
                    receiver.taken.set()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/drift"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


class Process:
    def __init__(self, folder: Path, url: str) -> None:
        environment = {
            **os.environ,
            "OPSLOOP_DRIFT_WEBHOOK": url,
            "OPSLOOP_DRIFT_WEBHOOK_SECRET": SECRET,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
            "NO_PROXY": "127.0.0.1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.monitoring.watch_model", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=environment,
            text=True,
        )
        assert self.said() == "ready"

    def said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def feed(self, what: str, count: int) -> bool:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what} {count}\n")
        self._process.stdin.flush()
        return self.said() == "True"

    def until_detected(self) -> None:
        assert any(self.feed("changed", 10) for _ in range(100))

    def kill(self) -> None:
        self._process.kill()
        self._end()

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(LONG_S) == 0
        self._end()

    def _end(self) -> None:
        self._process.wait(LONG_S)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


def test_one_alarm_and_one_signed_notice_after_kills_and_two_failures(tmp_path: Path, receiver: Receiver) -> None:
    folder = tmp_path / "data"
    first = Process(folder, receiver.url)
    assert not first.feed("rows", 300)
    first.until_detected()
    first.kill()  # the alarm may be stored by now, or not
    second = Process(folder, receiver.url)
    second.until_detected()
    assert receiver.taken.wait(LONG_S)
    second.kill()
    third = Process(folder, receiver.url)
    assert third.feed("rows", 1)
    third.stop()

    workspace = open_workspace(CoreSettings(data_dir=folder))
    with workspace.reading(READER) as uow:
        found = alarms.listed(uow)
    workspace.close()
    assert [each.feature for each in found] == ["sepal_length"]
    assert len({headers["X-Opsloop-Delivery"] for headers, _ in receiver.came}) == 1
    headers, body = receiver.came[2]
    assert json.loads(body)["alarm"] == found[0].id
    assert signatures.is_stamped(SECRET, body, headers["X-Opsloop-Signature"], SystemClock().now())
