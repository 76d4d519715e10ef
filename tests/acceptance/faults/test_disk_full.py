"""A disk that fills up while the platform runs: it says so, loses nothing it acknowledged, and goes on with room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.acceptance.faults.conftest import invoke, says_no_traceback
from tests.acceptance.up import Up, opsloop


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """No byte is left on the file system of a folder."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
        yield
    filler.unlink()


class Acknowledged:
    """A user who remembers what was acknowledged."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self.answers: set[str] = set()
        self.thumbs: set[str] = set()
        self.refused: list[httpx.Response] = []

    def ask(self, times: int) -> None:
        for number in range(times):
            answer = invoke(self._http, f"question {number}")
            assert answer.status_code == 200, answer.text
            request = answer.headers["x-request-id"]
            self.answers.add(request)
            thumb = self._http.post("/feedback", json={"request_id": request, "thumb": "up"})
            if thumb.status_code == 201:
                self.thumbs.add(request)
            else:
                self.refused.append(thumb)

    def is_kept(self) -> None:
        requests = self._http.get("/api/requests", params={"limit": 1000}).json()["items"]
        feedback = self._http.get("/api/feedback", params={"limit": 1000}).json()["items"]
        assert self.answers <= {each["request_id"] for each in requests}
        assert self.thumbs <= {each["request_id"] for each in feedback}


@pytest.mark.slow
def test_a_full_disk_is_told_and_nothing_acknowledged_is_lost(
    small: Path, up: Callable[..., Up], tmpfs: Callable[[str], Path]
) -> None:
    disk = tmpfs("size=8m")
    running = up(small, OPSLOOP_DATA_DIR=str(disk / "data"))
    running.wait_for("Ctrl-C stops it")
    with httpx.Client(base_url=running.url, timeout=120, trust_env=False) as http:
        user = Acknowledged(http)
        user.ask(5)
        assert user.refused == []
        with filled(disk):
            user.ask(200)
            assert user.refused
            assert {each.status_code for each in user.refused} == {503}
            assert "the disk is full; free some space and try again" in user.refused[-1].json()["detail"]
            running.wait_for("records_not_stored")
            assert http.get("/api/audit/verify").json()["ok"]
            told = opsloop("token", "create", "ci", cwd=small, OPSLOOP_DATA_DIR=str(disk / "data"))
            assert (told.returncode, told.stdout) == (7, "")
            assert "the disk is full; free some space and try again" in told.stderr
        running.wait_for("records_stored_again")
        heard = len(user.thumbs)
        user.ask(5)
        assert len(user.thumbs) == heard + 5
    assert running.stop() == 0
    says_no_traceback(running)

    again = up(small, "--no-demo", OPSLOOP_DATA_DIR=str(disk / "data"))
    again.ready()
    with httpx.Client(base_url=again.url, timeout=120, trust_env=False) as http:
        user._http = http
        user.is_kept()
        assert http.get("/api/audit/verify").json()["ok"]
    assert again.stop() == 0


@pytest.mark.parametrize("words", [("up", "--no-demo"), ("audit", "list"), ("token", "create", "ci")], ids=" ".join)
def test_a_start_on_a_full_disk_is_told(small: Path, tmpfs: Callable[[str], Path], words: tuple[str, ...]) -> None:
    disk = tmpfs("size=4m")
    settings = {"OPSLOOP_DATA_DIR": str(disk / "data")}
    assert opsloop("token", "create", "first", cwd=small, **settings).returncode == 0
    with filled(disk):
        done = opsloop(*words, cwd=small, **settings)
    assert done.returncode in (1, 7)
    assert "No space left on device" in done.stderr or "the disk is full" in done.stderr
    assert done.stderr.count("\n") == 1
    assert opsloop("audit", "verify", cwd=small, **settings).returncode == 0
