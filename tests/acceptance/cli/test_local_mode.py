"""Commands on the project in this folder: alone, and beside a platform that runs."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.up import OPSLOOP, environment, opsloop

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "opsloop.yaml").write_text("project: small\ndatasets: {questions: {source: q.jsonl}}\n")
    (tmp_path / "q.jsonl").write_text('{"id": 1, "q": "a"}\n')
    return tmp_path


@pytest.fixture
def running(folder: Path) -> Iterator[str]:
    """A platform that serves the folder; its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [OPSLOOP, "up", "--no-demo", "--port", str(port)],
            cwd=folder,
            env=environment(PYTHONUNBUFFERED="1"),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    url = f"http://127.0.0.1:{port}"
    said = next((line for line in process.stdout if url in line), None)
    assert said is not None, (folder / "up.log").read_text()
    yield url
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_project_is_applied_once_without_a_server(folder: Path) -> None:
    first = opsloop("apply", "--json", cwd=folder)
    (folder / "sub").mkdir()
    second = opsloop("apply", "--json", cwd=folder / "sub")

    assert first.returncode == 0, first.stderr
    assert [step["action"] for step in json.loads(first.stdout)["steps"]] == ["create"]
    assert [step["action"] for step in json.loads(second.stdout)["steps"]] == ["keep"]
    assert (folder / ".opsloop" / "state.db").exists()
    assert not (folder / "sub" / ".opsloop").exists()


def test_a_changed_record_is_found_and_named(folder: Path) -> None:
    opsloop("token", "create", "ci", cwd=folder)
    with sqlite3.connect(folder / ".opsloop" / "state.db") as state:
        (event,) = state.execute("SELECT id FROM audit_events ORDER BY seq LIMIT 1").fetchone()
        state.execute("UPDATE audit_events SET actor = 'somebody else' WHERE id = ?", (event,))
    state.close()
    broken = opsloop("audit", "verify", "--json", cwd=folder)

    assert broken.returncode == 6
    assert json.loads(broken.stdout)["broken_id"] == event
    assert f"does not hold from event 1 ({event}) on" in broken.stderr


def test_an_unknown_setting_is_refused_with_its_line(folder: Path) -> None:
    with (folder / "opsloop.yaml").open("a") as file:
        file.write("settings:\n  body_limit: 5\n")
    done = opsloop("data", "list", cwd=folder)

    assert done.returncode == 2
    assert "opsloop.yaml:4: settings.body_limit is not known; did you mean 'body_limit_bytes'?" in done.stderr


def test_commands_find_the_platform_that_runs_here(folder: Path, running: str) -> None:
    registered = opsloop("data", "register", "questions", "q.jsonl", "--json", cwd=folder)
    over_http = httpx.get(f"{running}/api/datasets").json()["items"]
    doctor = opsloop("doctor", cwd=folder)
    second = opsloop("up", "--no-demo", cwd=folder)
    script = "from opsloop import Client\nwith Client() as client: print(client.connection.url)"
    scripted = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment(), capture_output=True, text=True
    )

    assert json.loads(registered.stdout)["id"] == over_http[0]["id"]
    assert f"at {running}" in doctor.stdout
    assert second.returncode == 5
    assert running in second.stderr
    assert scripted.stdout.strip() == running


def test_a_key_opens_a_server_that_asks_for_one(folder: Path, running: str) -> None:
    secret = opsloop("token", "create", "viewer", cwd=folder).stdout.strip()
    reads = opsloop("data", "list", cwd=folder, OPSLOOP_URL=running, OPSLOOP_TOKEN=secret)
    writes = opsloop("data", "register", "x", "q.jsonl", cwd=folder, OPSLOOP_URL=running, OPSLOOP_TOKEN=secret)
    unknown = opsloop("data", "list", cwd=folder, OPSLOOP_URL=running, OPSLOOP_TOKEN="opl_wrong")

    assert reads.returncode == 0, reads.stderr
    assert (writes.returncode, unknown.returncode) == (4, 4)
    assert "this needs developer" in writes.stderr
