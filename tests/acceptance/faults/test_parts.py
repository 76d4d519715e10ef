"""Parts of the data folder that something else wrote into, and a clock that was set back, between two starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.acceptance.faults.conftest import Rollout, change_flow, invoke, says_no_traceback, wait_until
from tests.acceptance.in_process import run
from tests.acceptance.up import Up, opsloop


@pytest.mark.parametrize(
    "content", [b"", b"no key at all", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
)
@pytest.mark.parametrize("words", [("up", "--no-demo"), ("audit", "verify"), ("token", "list")], ids=" ".join)
def test_a_signing_key_that_cannot_be_read_is_told(small: Path, words: tuple[str, ...], content: bytes) -> None:
    assert run("token", "create", "ci", "--project", str(small)).code == 0
    key = small / ".opsloop" / "keys" / "audit.pem"
    whole = key.read_bytes()
    key.write_bytes(content)
    said = run(*words, "--project", str(small))
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        f"opsloop: the audit signing key {key} cannot be read: it is not a private key in PEM form; "
        "restore it from a backup\n"
    )
    key.write_bytes(whole)
    assert run("audit", "verify", "--project", str(small)).code == 0


def test_a_signing_key_that_is_gone_is_not_made_anew_by_itself(small: Path) -> None:
    assert run("token", "create", "ci", "--project", str(small)).code == 0
    keys = small / ".opsloop" / "keys"
    (keys / "audit.pem").unlink()
    said = run("token", "list", "--project", str(small))
    assert said.code == 1
    assert "is gone and its public half" in said.err

    (keys / "audit.pub.pem").unlink()
    assert run("token", "create", "next", "--project", str(small)).code == 0
    said = run("audit", "verify", "--project", str(small))
    assert said.code == 6
    assert "from event 1 " in said.err


def test_the_public_half_is_made_again_from_the_key(small: Path) -> None:
    assert run("token", "create", "ci", "--project", str(small)).code == 0
    public = small / ".opsloop" / "keys" / "audit.pub.pem"
    pem = public.read_bytes()
    public.unlink()
    assert run("audit", "verify", "--project", str(small)).code == 0
    assert public.read_bytes() == pem


JOBS_FILES = {
    "deleted": None,
    "emptied": b"",
    "garbage": b"no database\n" * 1000,
    "cut": b"SQLite format 3\x00" + bytes(100),
}


@pytest.mark.slow
@pytest.mark.parametrize("content", JOBS_FILES.values(), ids=JOBS_FILES)
def test_rollouts_go_on_whatever_became_of_the_jobs_file(
    small: Path, up: Callable[..., Up], content: bytes | None
) -> None:
    with released_twice(small, up(small)) as (running, rollout):
        rollout.is_driven()
        running.kill()

    jobs = small / ".opsloop" / "jobs.db"
    for file in jobs.parent.glob("jobs.db*"):
        file.unlink()
    if content is not None:
        jobs.write_bytes(content)

    running = up(small, "--no-demo", OPSLOOP_ROLLOUT_SETTLE_S="0")
    running.ready()
    with closing(Rollout(running)) as rollout:
        rollout.is_driven()
        rollout.ends_when_promoted()
    kept = [file.read_bytes() for file in jobs.parent.glob("jobs.db.damaged-*")]
    assert kept == ([content] if content else [])
    assert len(running.events("jobs_file_set_aside")) == len(kept)
    assert running.stop() == 0
    says_no_traceback(running)


@contextmanager
def released_twice(project: Path, running: Up) -> Iterator[tuple[Up, Rollout]]:
    running.wait_for("Ctrl-C stops it")
    change_flow(project)
    assert opsloop("apply", cwd=project).returncode == 0
    with closing(Rollout(running)) as rollout:
        yield running, rollout


def test_what_is_no_record_in_the_spool_is_told_and_the_others_are_stored(small: Path, up: Callable[..., Up]) -> None:
    first = up(small)
    first.wait_for("Ctrl-C stops it")
    with httpx.Client(base_url=first.url, trust_env=False) as http:
        answered = [invoke(http, "quick").headers["x-request-id"] for _ in range(5)]
    first.kill()
    spool = small / ".opsloop" / "spool"
    (spool / "noise.records").write_bytes(bytes(range(256)) * 40)
    (spool / "empty.records").write_bytes(b"")
    (spool / "text.records").write_text('{"request_id": "forged"}\n' * 20)
    (spool / "folder.records").mkdir()
    (spool / "something else").write_bytes(b"x")
    for left in [file for file in spool.glob("spool_*.records") if file.stat().st_size]:
        with left.open("ab") as file:
            file.write(b"\x00torn line")

    second = up(small, "--no-demo")
    second.ready()
    second.wait_for("spool_lines_damaged")
    assert [line["segment"] for line in second.events("spool_segment_unreadable")] == ["folder.records"]
    with httpx.Client(base_url=second.url, trust_env=False) as http:
        answered.append(invoke(http, "after").headers["x-request-id"])

        def stored() -> list[str]:
            return [each["request_id"] for each in http.get("/api/requests").json()["items"]]

        wait_until(lambda: len(stored()) >= len(answered))
        assert sorted(stored()) == sorted(answered)
    assert second.stop() == 0
    says_no_traceback(second)


SET_BACK = """\
import time
from datetime import timedelta

BACK_S = 2 * 86_400
now_ns = time.time_ns
time.time_ns = lambda: now_ns() - BACK_S * 10**9

from opsloop.core.clock import SystemClock  # after the line above: ids are made from that clock

now = SystemClock.now
SystemClock.now = lambda self: now(self) - timedelta(seconds=BACK_S)
"""


@pytest.mark.slow
def test_a_clock_that_was_set_back_between_two_starts_stops_nothing(
    small: Path, up: Callable[..., Up], tmp_path: Path
) -> None:
    with released_twice(small, up(small)) as (running, rollout):
        rollout.is_driven()
        assert running.stop() == 0

    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "sitecustomize.py").write_text(SET_BACK)
    running = up(small, "--no-demo", PYTHONPATH=str(tmp_path / "clock"), OPSLOOP_ROLLOUT_SETTLE_S="0")
    running.ready()
    with closing(Rollout(running)) as rollout, httpx.Client(base_url=running.url, trust_env=False) as http:
        rollout.is_driven()
        rollout.ends_when_promoted()
        assert http.post("/api/keys", json={"name": "made", "lifetime_days": 1}).status_code == 201
        newest, *earlier = http.get("/api/audit").json()["items"]
        assert newest["action"] == "key.created"
        assert newest["at"] < earlier[-1]["at"], "the clock was not set back: the test saw nothing"
        assert http.get("/api/audit/verify").json()["ok"]
    assert running.stop() == 0
    says_no_traceback(running)
    assert opsloop("audit", "verify", cwd=small).returncode == 0
