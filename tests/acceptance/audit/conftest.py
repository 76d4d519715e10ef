"""A trail as commands wrote it, in a project that a test may tamper with."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.in_process import Said, run

COLUMNS = ("id", "at", "actor", "action", "target", "detail", "previous", "hash")


@dataclass(frozen=True, slots=True)
class Trail:
    """A project with a recorded trail."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / ".opsloop" / "state.db"

    def run(self, *words: str) -> Said:
        """A command in this process, on this project."""
        return run(*words, "--project", str(self.folder))

    def sql(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.text_factory = bytes
            return connection.execute(statement, parameters).fetchall()

    def field(self, event: int, column: str) -> bytes:
        [(value,)] = self.sql(f"SELECT {column} FROM audit_events WHERE seq = ?", (event,))
        return bytes(value)

    def id(self, event: int) -> str:
        return self.field(event, "id").decode()

    @property
    def length(self) -> int:
        [(count,)] = self.sql("SELECT count(*) FROM audit_events")
        return int(count)

    def copy(self, folder: Path) -> Trail:
        shutil.copytree(self.folder, folder)
        return Trail(folder)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Trail:
    """Nobody may change this one."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "opsloop.yaml").write_text("project: audited\n")
    (folder / "rows.csv").write_text("question,answer\nwhy?,because\n")
    trail = Trail(folder)
    for name in ("ci", "Zoë ✓", "night"):
        assert trail.run("token", "create", name, "--role", "operator").code == 0
    assert trail.run("token", "revoke", "night").code == 0
    assert trail.run("data", "register", "golden", str(folder / "rows.csv")).code == 0
    assert trail.length >= 5
    return trail


@pytest.fixture
def trail(recorded: Trail, tmp_path: Path) -> Trail:
    """One of its own for each test."""
    return recorded.copy(tmp_path / "trail")
