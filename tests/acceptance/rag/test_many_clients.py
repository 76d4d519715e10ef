"""Sixteen clients upload, ask and delete at the same time: no error, and nothing of what was deleted afterwards."""

from __future__ import annotations

import base64
import os
import random
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.up import Up

CLIENTS = 16
# TESTS_LONG=1 asks for the long form.
FOR_S = 30.0 if os.environ.get("TESTS_LONG") else 6.0


class Worker:
    """One client: its own documents come and go, the searches are about everybody's."""

    def __init__(self, url: str, number: int) -> None:
        self._http = httpx.Client(base_url=url, timeout=120.0, trust_env=False)
        self._random = random.Random(number)
        self._number = number
        self._made = 0
        self.kept: dict[str, str] = {}
        self.deleted: dict[str, str] = {}
        self.faults: list[str] = []

    def run(self, until_s: float) -> None:
        with self._http:
            while time.monotonic() < until_s and not self.faults:
                self._random.choice((self._upload, self._search, self._query, self._delete))()

    def _upload(self) -> None:
        self._made += 1
        word = f"word{self._number:02d}x{self._made:05d}"
        data = base64.b64encode(f"The thing called {word} stands in hall {self._made % 9}.".encode()).decode()
        body = {"filename": f"{word}.txt", "content_base64": data, "collection": "shared"}
        answer = self._asked("POST", "/upload", body)
        if answer is not None:
            self.kept[word] = answer["document_id"]

    def _search(self) -> None:
        for word in [*self.deleted][-1:]:
            found = self._asked("POST", "/api/collections/shared/search", {"question": word})
            if found is not None and any(word in each["text"] for each in found["items"]):
                self.faults.append(f"{word} was found after it was deleted")

    def _query(self) -> None:
        self._asked("POST", "/query", {"question": "In which hall does the thing stand?", "collection": "shared"})

    def _delete(self) -> None:
        if not self.kept:
            return
        word = self._random.choice([*self.kept])
        if self._asked("DELETE", f"/api/collections/shared/documents/{self.kept[word]}", None) is not None:
            self.deleted[word] = self.kept.pop(word)

    def _asked(self, method: str, at: str, body: object) -> dict[str, Any] | None:
        answer = self._http.request(method, at, json=body)
        if not answer.is_success:
            self.faults.append(f"{method} {at}: {answer.status_code} {answer.text}")
            return None
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
def up(tmp_path: Path, port: int, started: list[Up]) -> Up:
    project = tmp_path / "project"
    project.mkdir()
    (project / "opsloop.yaml").write_text("project: shared\n")
    run = Up(project, port, "--no-demo")
    started.append(run)
    run.ready()
    assert httpx.post(f"{run.url}/api/collections", json={"name": "shared"}, trust_env=False).status_code == 201
    return run


@pytest.mark.slow
def test_clients_at_the_same_time_meet_no_error_and_no_deleted_text(up: Up, tmp_path: Path) -> None:
    workers = [Worker(up.url, number) for number in range(CLIENTS)]
    until_s = time.monotonic() + FOR_S
    threads = [threading.Thread(target=worker.run, args=(until_s,), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(FOR_S + 120.0)

    assert [fault for worker in workers for fault in worker.faults] == []
    kept = {word for worker in workers for word in worker.kept}
    deleted = {word for worker in workers for word in worker.deleted}
    assert kept
    assert deleted
    with httpx.Client(base_url=up.url, timeout=120, trust_env=False) as http:
        listed = http.get("/api/collections/shared/documents", params={"limit": 1000}).json()["items"]
        assert {each["filename"] for each in listed} >= {f"{word}.txt" for word in kept}
        for word in sorted(deleted):
            found = http.post("/api/collections/shared/search", json={"question": word}).json()["items"]
            assert not any(word in each["text"] for each in found)
    assert up.stop() == 0
    left = b"".join(path.read_bytes() for path in (tmp_path / "project" / ".opsloop").glob("state.db*"))
    assert [word for word in sorted(deleted) if f"called {word} stands".encode() in left] == []
