"""An ingest of many documents whose platform is killed again and again, and what must be true afterwards."""

from __future__ import annotations

import random
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.acceptance.up import Up

AT_ONCE = 40
PATIENCE_S = 120.0
AT = "/api/collections/notes/ingests"


def documents(count: int) -> dict[str, bytes]:
    """Texts of some sentences, each with a word of its own."""
    return {
        f"note-{number:04d}.txt": (
            f"Note {number} speaks of item{number:04d}. The item was seen in hall {number % 17}. "
            f"It weighs {number % 91} kilograms and belongs to team {number % 7}."
        ).encode()
        for number in range(count)
    }


@dataclass
class Sender:
    """Sends documents until each was acknowledged, whatever happens to the platform meanwhile."""

    url: str
    documents: dict[str, bytes]
    acknowledged: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def run(self) -> None:
        names = list(self.documents)
        with httpx.Client(base_url=self.url, timeout=120, trust_env=False) as http:
            for first in range(0, len(names), AT_ONCE):
                self._send(http, names[first : first + AT_ONCE])

    def _send(self, http: httpx.Client, names: list[str]) -> None:
        for _ in range(int(PATIENCE_S / 0.05)):
            try:
                answer = http.post(AT, files=[("files", (name, self.documents[name])) for name in names])
            except httpx.TransportError:  # it is dead for a moment
                threading.Event().wait(0.05)
                continue
            if answer.status_code == 202:
                self.acknowledged.update(names)
            else:
                self.faults.append(answer.text)
            return
        self.faults.append(f"{names[0]} was never acknowledged")


def ingest_and_kill(
    project: Path, port: int, started: list[Up], sent: dict[str, bytes], *, kills: int, seed: int
) -> Up:
    """Send documents while the platform is killed at random moments; the last run, once nothing waits."""
    moments = random.Random(seed)
    sender = Sender(f"http://127.0.0.1:{port}", sent)
    thread = threading.Thread(target=sender.run, daemon=True)
    for number in range(kills + 1):
        run = Up(project, port, "--no-demo")
        started.append(run)
        if number == 0:
            run.ready()
            thread.start()
        elif number == kills or moments.random() < 0.8:  # else it is killed while it starts
            run.ready()
        if number < kills:
            threading.Event().wait(moments.uniform(0.0, 1.5))
            run.kill()
    thread.join(PATIENCE_S)
    assert (thread.is_alive(), sender.faults) == (False, [])
    assert sender.acknowledged == set(sent)
    wait_until_over(run)
    return run


def wait_until_over(run: Up) -> None:
    with httpx.Client(base_url=run.url, timeout=120, trust_env=False) as http:
        for _ in range(int(PATIENCE_S / 0.1)):
            found = http.get(AT, params={"limit": 1000}).json()["items"]
            if all(each["waiting"] == 0 for each in found):
                assert sum(each["refused"] for each in found) == 0, found
                return
            threading.Event().wait(0.1)
    raise AssertionError(f"documents still wait:\n{run.said}")


def assert_each_is_there_once(run: Up, sent: dict[str, bytes]) -> None:
    """By HTTP: every document is listed once, and is found by the word that only it has."""
    with httpx.Client(base_url=run.url, timeout=120, trust_env=False) as http:
        listed = http.get("/api/collections/notes/documents", params={"limit": 1000}).json()["items"]
        assert sorted(each["filename"] for each in listed) == sorted(sent)
        for name in list(sent)[::25]:
            asked = {"question": f"item{name[5:9]}", "top_k": 1}
            [best] = http.post("/api/collections/notes/search", json=asked).json()["items"]
            assert (best["filename"], best["text"]) == (name, sent[name].decode())


def assert_none_is_half_indexed(project: Path) -> None:
    """In the database, after the end: every document has its chunks, every chunk its windows, every window a vector."""
    with closing(sqlite3.connect(project / ".opsloop" / "state.db")) as database:
        chunks = "SELECT count(*) FROM rag_chunks c WHERE c.document_id = d.id"
        short = database.execute(f"SELECT id FROM rag_documents d WHERE chunks <> ({chunks})").fetchall()
        bare = database.execute(
            "SELECT seq FROM rag_chunks c WHERE NOT EXISTS (SELECT 1 FROM rag_windows w WHERE w.chunk_seq = c.seq)"
        ).fetchall()
        blind = database.execute("SELECT seq FROM rag_windows WHERE vector IS NULL").fetchall()
        known = {
            f"{ingest}/{number}" for ingest, number in database.execute("SELECT ingest, number FROM rag_ingest_items")
        }
    assert (short, bare, blind) == ([], [], [])
    # What is left of the staged bytes belongs to requests that were cut off: it goes after a day.
    staged = project / ".opsloop" / "artifacts" / "ingests"
    assert [path for path in staged.rglob("*") if path.relative_to(staged).as_posix() in known] == []
