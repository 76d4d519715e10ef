"""One process at a time runs the jobs of an installation; another takes over when it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from opsloop.core.db.database import Database
from opsloop.core.db.turn import Turn

HOLD = """
import sys, time
from opsloop.core.db.database import Database
from opsloop.core.db.turn import Turn
turn = Turn(Database(sys.argv[1]), "jobs")
print(turn.is_mine(), flush=True)
time.sleep(600)
"""


def test_two_on_postgresql_have_it_in_turn(postgres_url: str) -> None:
    database = Database(postgres_url)
    first, second = Turn(database, "jobs"), Turn(database, "jobs")
    assert first.is_mine()
    assert not second.is_mine()
    assert first.is_mine()
    first.give_back()
    assert second.is_mine()
    assert not first.is_mine()
    second.give_back()
    database.close()


def test_different_work_has_different_turns(postgres_url: str) -> None:
    database = Database(postgres_url)
    jobs, other = Turn(database, "jobs"), Turn(database, "other")
    assert jobs.is_mine()
    assert other.is_mine()
    jobs.give_back()
    other.give_back()
    database.close()


def test_the_turn_of_a_killed_process_is_free(postgres_url: str) -> None:
    database = Database(postgres_url)
    holder = subprocess.Popen([sys.executable, "-c", HOLD, postgres_url], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "True\n"
    mine = Turn(database, "jobs")
    assert not mine.is_mine()
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert any(mine.is_mine() for _ in range(10_000))
    mine.give_back()
    database.close()


def test_on_sqlite_the_folder_lock_has_settled_it(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/turn.db")
    assert Turn(database, "jobs").is_mine()
    database.close()
