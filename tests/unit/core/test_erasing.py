"""What SQLite leaves of deleted rows in its file, and that it goes."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsloop.core.db import erasing


@pytest.fixture
def leaving(tmp_path: Path) -> Iterator[tuple[sqlite3.Connection, Path]]:
    """A database whose file holds copies of deleted rows, though `secure_delete` is on."""
    for seed in range(20):
        path = tmp_path / f"{seed}.db"
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA secure_delete=ON")
        replace_rows(connection, random.Random(seed))
        assert erasing.cut_log(connection)
        if b"secret" in path.read_bytes():
            yield connection, path
            connection.close()
            return
        connection.close()
    pytest.skip("this SQLite leaves no copies of rows that it moves")


def replace_rows(connection: sqlite3.Connection, random: random.Random) -> None:
    connection.execute("CREATE TABLE texts (id REAL PRIMARY KEY, text TEXT) WITHOUT ROWID")
    ids = [random.random() for _ in range(300)]
    for one in ids:
        connection.execute("INSERT INTO texts VALUES (?, ?)", (one, "secret" + "." * random.randrange(300)))
    for one in sorted(ids, key=lambda _: random.random()):
        erasing.owe(connection)
        connection.execute("DELETE FROM texts WHERE id = ?", (one,))
        connection.execute("INSERT INTO texts VALUES (?, ?)", (random.random(), "kept" + "." * random.randrange(300)))


def test_copies_that_sqlite_left_when_it_moved_rows_go(leaving: tuple[sqlite3.Connection, Path]) -> None:
    connection, path = leaving
    assert erasing.rewrite(connection)
    assert erasing.cut_log(connection)
    assert b"secret" not in path.read_bytes()
    assert connection.execute("SELECT count(*) FROM texts WHERE text LIKE 'kept%'").fetchone() == (300,)


def test_a_file_is_rewritten_once_for_what_was_owed(leaving: tuple[sqlite3.Connection, Path]) -> None:
    connection, _ = leaving
    assert erasing.rewrite(connection)
    assert not erasing.rewrite(connection)


def test_what_is_undone_is_not_owed(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "undone.db", isolation_level=None)
    connection.execute("BEGIN")
    erasing.owe(connection)
    connection.execute("ROLLBACK")
    assert not erasing.rewrite(connection)
    connection.close()


def test_what_is_owed_outlives_the_process(tmp_path: Path) -> None:
    first = sqlite3.connect(tmp_path / "kept.db", isolation_level=None)
    erasing.owe(first)
    first.close()
    second = sqlite3.connect(tmp_path / "kept.db", isolation_level=None)
    assert erasing.rewrite(second)
    second.close()


def test_a_log_that_a_reader_needs_stays_for_now(leaving: tuple[sqlite3.Connection, Path]) -> None:
    connection, path = leaving
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM texts").fetchone()
    assert erasing.rewrite(connection)
    assert not erasing.cut_log(connection)
    reader.close()
    assert erasing.cut_log(connection)
    assert b"secret" not in path.read_bytes()
