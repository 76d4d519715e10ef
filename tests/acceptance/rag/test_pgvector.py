"""A collection in a real PostgreSQL with pgvector, of a platform that is killed while it copies there."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tests.acceptance.up import Up, opsloop

DOCUMENTS = 300
CURRENT_WITHIN_S = 60.0


def told(*words: str | Path, url: str) -> Any:
    done = opsloop(*words, "--json", OPSLOOP_URL=url)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def wait_until_copied(url: str) -> Any:
    until_s = time.monotonic() + CURRENT_WITHIN_S
    while not (stats := told("rag", "stats", "handbook", url=url))["is_copied"]:
        assert time.monotonic() < until_s, stats
        time.sleep(0.5)
    return stats


@pytest.mark.slow
def test_a_platform_that_is_killed_while_it_copies_ends_with_a_whole_copy(
    tmp_path: Path, port: int, started: list[Up], postgres_url: str
) -> None:
    (tmp_path / "opsloop.yaml").write_text("project: notes\n")
    folder = tmp_path / "documents"
    folder.mkdir()
    for number in range(DOCUMENTS):
        words = f"Rule {number} is about parking place {number * 7}. It holds for car{number} alone."
        (folder / f"{number:03}.txt").write_text(words)
    settings = {"OPSLOOP_RAG_PGVECTOR_URL": postgres_url, "OPSLOOP_RAG_STORE": "pgvector"}
    started.append(Up(tmp_path, port, "--no-demo", **settings))
    started[0].ready()
    url = started[0].url
    assert told("rag", "create", "handbook", url=url)["store"] == "pgvector"
    told("rag", "upload", "handbook", folder, url=url)
    started[0].kill()

    started.append(Up(tmp_path, port, "--no-demo", **settings))
    started[1].ready()
    stats = wait_until_copied(url)
    assert stats["documents"] == DOCUMENTS
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT count(DISTINCT document_id), count(*) FROM opsloop_passages.handbook"))
        assert tuple(rows.one()) == (DOCUMENTS, stats["windows"])
    answer = told("rag", "query", "handbook", "Which parking place is rule 123 about?", url=url)
    assert answer["note"] is None
    assert answer["citations"][0]["filename"] == "123.txt"

    told("rag", "delete", "handbook", answer["citations"][0]["document_id"], url=url)
    wait_until_copied(url)
    with engine.connect() as connection:
        left = connection.execute(text("SELECT count(*) FROM opsloop_passages.handbook WHERE text LIKE '%car123 %'"))
        assert left.scalar_one() == 0
    engine.dispose()
