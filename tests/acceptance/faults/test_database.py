"""A state database that is damaged, locked or taken away: a sentence, never a traceback."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.acceptance.faults.conftest import invoke, says_no_traceback
from tests.acceptance.in_process import run
from tests.acceptance.up import Up, opsloop

PAGE = 4096
NOISE = random.Random(2).randbytes(PAGE)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The database of a project that was used, as one file."""
    folder = tmp_path_factory.mktemp("stored")
    (folder / "opsloop.yaml").write_text("project: stored\n")
    (folder / "rows.csv").write_text("question,answer\n" + "why?,because\n" * 50)
    for words in (("token", "create", "ci"), ("data", "register", "golden", str(folder / "rows.csv"))):
        assert run(*words, "--project", str(folder)).code == 0
    return (folder / ".opsloop" / "state.db").read_bytes()


@pytest.fixture(scope="module")
def used_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("used")
    (folder / "opsloop.yaml").write_text("project: used\n")
    assert run("token", "create", "ci", "--project", str(folder)).code == 0
    return folder


@pytest.fixture
def used(used_once: Path, tmp_path: Path) -> Path:
    """A project whose data folder has been used; a test puts the database into it."""
    return shutil.copytree(used_once, tmp_path / "used")


def database(project: Path) -> Path:
    return project / ".opsloop" / "state.db"


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "random bytes": lambda whole: NOISE * (len(whole) // PAGE),
    "a text": lambda _whole: b"this is not a database\n" * 500,
    "cut to three pages": lambda whole: whole[: 3 * PAGE],
    "cut in the middle of a page": lambda whole: whole[: 10 * PAGE + 100],
    "its first page overwritten": lambda whole: NOISE + whole[PAGE:],
    "all pages but the first overwritten": lambda whole: whole[:PAGE] + NOISE * (len(whole) // PAGE - 1),
    "a byte of its header": lambda whole: b"s" + whole[1:],
    "no byte at all": lambda _whole: b"",
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("words", [("up", "--no-demo"), ("audit", "list"), ("token", "create", "new")], ids=" ".join)
def test_a_damaged_database_is_told_at_the_start(
    used: Path, stored: bytes, damage: str, words: tuple[str, ...]
) -> None:
    database(used).write_bytes(DAMAGE[damage](stored))
    said = run(*words, "--project", str(used))
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"opsloop: the state database {database(used)} is damaged (")
    assert "restore it from a backup, or move it away" in said.err
    assert said.err.count("\n") == 1, said.err


def test_a_process_of_its_own_says_the_same(used: Path, stored: bytes) -> None:
    database(used).write_bytes(DAMAGE["random bytes"](stored))
    for words in (("up",), ("data", "list")):
        done = opsloop(*words, cwd=used)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"opsloop: the state database {database(used)} is damaged (")
        assert done.stderr.count("\n") == 1


COMMANDS = (("audit", "verify"), ("data", "list"), ("token", "list"), ("token", "create", "new"), ("release", "list"))


@pytest.mark.slow
@pytest.mark.parametrize("content", [NOISE, bytes(PAGE)], ids=["noise", "zeros"])
def test_a_page_overwritten_in_the_middle_is_told_by_what_reads_it(used: Path, stored: bytes, content: bytes) -> None:
    told = 0
    for page in range(1, len(stored) // PAGE, 13):
        database(used).write_bytes(stored[: page * PAGE] + content + stored[(page + 1) * PAGE :])
        for words in COMMANDS[page % 2 :: 2]:
            said = run(*words, "--project", str(used))
            assert "Traceback" not in said.err, said.err
            assert "went wrong" not in said.err, said.err
            told += "is damaged" in said.err
    assert told > 0


def test_doctor_finds_a_page_that_nothing_read_yet(used: Path, stored: bytes) -> None:
    last = len(stored) - PAGE
    database(used).write_bytes(stored[:last] + NOISE)
    said = run("doctor", "--project", str(used))
    assert said.code == 1
    assert f"{database(used)} is damaged (" in said.out


def test_a_database_that_is_damaged_while_it_runs_is_told(small: Path, up: Callable[..., Up]) -> None:
    running = up(small)
    running.wait_for("Ctrl-C stops it")
    with httpx.Client(base_url=running.url, timeout=120, trust_env=False) as http:
        assert invoke(http, "before").status_code == 200
        with closing(sqlite3.connect(database(small))) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        whole = database(small).read_bytes()
        with database(small).open("r+b") as file:
            file.write(DAMAGE["all pages but the first overwritten"](whole))
        for method, path in (("GET", "/api/audit"), ("GET", "/api/endpoints"), ("POST", "/api/keys")):
            answer = http.request(method, path, json={"name": "new"} if method == "POST" else None)
            assert answer.status_code == 500, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["type"] == "urn:opsloop:problem:database-corrupt"
            assert "is damaged" in answer.json()["detail"]
        ready = http.get("/ready")
        assert ready.status_code == 503
        assert "is damaged" in ready.json()["checks"]["database"]
        page = http.get("/audit", headers={"accept": "text/html"})
        assert page.status_code == 500
        assert "is damaged" in page.text
        assert http.get("/health").status_code == 200
        assert invoke(http, "after").status_code == 200
    running.wait_for("events_not_delivered")
    assert running.stop() == 0
    says_no_traceback(running)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def test_a_database_that_another_process_keeps_locked_is_told_and_nothing_is_lost(
    small: Path, up: Callable[..., Up]
) -> None:
    quickly = f"sqlite:///{database(small)}?timeout=0.2"
    running = up(small, OPSLOOP_DATABASE_URL=quickly)
    running.wait_for("Ctrl-C stops it")
    with httpx.Client(base_url=running.url, timeout=120, trust_env=False) as http:
        with locked(database(small)):
            answered = {invoke(http, "locked").headers["x-request-id"] for _ in range(20)}
            refused = http.post("/api/keys", json={"name": "new"})
            assert refused.status_code == 503
            assert refused.headers["retry-after"]
            assert refused.json()["type"] == "urn:opsloop:problem:database-locked"
            assert http.get("/api/audit").status_code == 200
            running.wait_for("records_not_stored")
        assert http.post("/api/keys", json={"name": "new"}).status_code == 201
        running.wait_for("records_stored_again")
        stored = {each["request_id"] for each in http.get("/api/requests").json()["items"]}
        assert answered <= stored
    assert running.stop() == 0
    says_no_traceback(running)


def test_commands_on_a_locked_database_say_so(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_DATABASE_URL", f"sqlite:///{database(used)}?timeout=0.1")
    with locked(database(used)):
        said = run("token", "create", "new", "--project", str(used))
        assert (said.code, said.out) == (7, "")
        assert "locked by another" in said.err
        assert said.err.count("\n") == 1, said.err
        assert run("token", "list", "--project", str(used)).code == 0


def test_a_database_taken_away_while_it_runs_takes_nothing_more(small: Path, up: Callable[..., Up]) -> None:
    running = up(small)
    running.wait_for("Ctrl-C stops it")
    with httpx.Client(base_url=running.url, timeout=120, trust_env=False) as http:
        assert http.post("/api/keys", json={"name": "before"}).status_code == 201
        away = shutil.move(database(small), small / "away.db")
        refused = http.post("/api/keys", json={"name": "after"})
        assert refused.status_code == 503
        assert "its file was moved or removed while it was in use" in refused.json()["detail"]
        assert http.get("/ready").status_code == 503
        shutil.move(away, database(small))
        assert http.post("/api/keys", json={"name": "after"}).status_code == 201
        names = [key["name"] for key in http.get("/api/keys").json()["items"]]
        assert names == ["before", "after"]
    assert running.stop() == 0
    says_no_traceback(running)
