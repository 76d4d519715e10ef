"""SIGKILL in the middle of traffic: whoever got an answer is in the records, once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from tests.integration.gateway.world import ECHO, STREAMING_DAG, STREAMS, Shop

SERVE = Path(__file__).with_name("serve_gateway.py")
KILL_AFTER = (1, 13, 60, 170, 400)
CALLERS = 8


class Callers:
    """Threads that ask until the server is gone, and keep the ids of the requests that were answered to the end."""

    def __init__(self, port: int, *, enough: int) -> None:
        self._url = f"http://127.0.0.1:{port}/v1/chat/completions"
        self._enough = enough
        self.answered: list[str] = []
        self.is_enough = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def _ask(self, number: int) -> None:
        endpoint = "stream" if number % 2 else "chat"
        body = {"model": endpoint, "messages": [{"role": "user", "content": "why?"}], "stream": endpoint == "stream"}
        with httpx.Client(trust_env=False, timeout=120) as client:
            while True:
                try:
                    answer = client.post(self._url, json=body)
                except httpx.HTTPError:
                    return
                assert answer.status_code == 200
                assert endpoint == "chat" or answer.text.endswith("data: [DONE]\n\n")
                self.answered.append(answer.headers["x-request-id"])
                if len(self.answered) >= self._enough:
                    self.is_enough.set()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(60)


def start(data_dir: Path) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen([sys.executable, str(SERVE), str(data_dir)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def asked_until_killed(data_dir: Path, *, enough: int) -> list[str]:
    """The ids of the requests that a server answered before it was killed, at least `enough`."""
    process, port = start(data_dir)
    callers = Callers(port, enough=enough)
    assert callers.is_enough.wait(60)
    process.kill()
    process.communicate()
    callers.join()
    return callers.answered


@pytest.mark.slow
def test_no_acknowledged_record_is_lost_or_doubled_by_sigkill(tmp_path: Path) -> None:
    settings = CoreSettings(data_dir=tmp_path / "data")
    workspace = open_workspace(settings)
    shop = Shop(workspace, tmp_path / "flows")
    shop.endpoint("chat")
    shop.endpoint("stream")
    shop.release(ECHO, endpoint="chat")
    shop.release(STREAMS, dag=STREAMING_DAG, endpoint="stream")
    workspace.close()

    answered: list[str] = []
    for enough in KILL_AFTER:
        answered += asked_until_killed(settings.data_dir, enough=enough)
    # A database that another process keeps locked takes no record, so these wait on disk for certain.
    with closing(sqlite3.connect(settings.data_dir / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answered += asked_until_killed(settings.data_dir, enough=KILL_AFTER[0])
    assert list((settings.data_dir / "spool").iterdir())

    process, _port = start(settings.data_dir)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 0

    workspace = open_workspace(settings)
    shop = Shop(workspace, tmp_path)
    stored = Counter(record.request_id for endpoint in ("chat", "stream") for record in shop.records(endpoint))
    workspace.close()
    assert len(answered) >= sum(KILL_AFTER)
    assert [request_id for request_id in answered if stored[request_id] != 1] == []
    assert set(stored.values()) == {1}
    assert list((settings.data_dir / "spool").iterdir()) == []
