"""kill -9 at each step of a repair: it goes on after the restart, acts once, or says that nobody can know."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.audit import keys
from opsloop.core.audit import service as audit
from opsloop.core.caller import Caller, Role
from opsloop.core.db.database import DatabaseAway
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.incidents.models import Observed
from opsloop.remediation import halts, proposing, service
from opsloop.remediation.actions import registry as actions
from opsloop.remediation.models import Remediation, State
from opsloop.remediation.playbooks import registry as playbooks
from tests.acceptance.faults.test_postgres import Server, postgres
from tests.acceptance.remediation.ledger import install, lines
from tests.acceptance.up import ROOT, environment
from tests.integration.incidents.telling import over, seen, told

__all__ = ["postgres"]
OPERATOR = Caller("key:maria", Role.OPERATOR)
PATIENCE_S = 90.0


class Repairers:
    """An incident with approved repairs, and processes that carry them through."""

    def __init__(self, folder: Path, database: str | None = None) -> None:
        self.data, self.ledger, self.database = folder / "data", folder / "ledger", database
        self.ledger.mkdir()
        self._processes: list[subprocess.Popen[str]] = []
        self._opened: list[Workspace] = []
        self.workspace = self._open()
        self.signal: Observed = seen("HighErrorRate", service="ledger", at=self.workspace.clock.now())
        self.incident = told(self.workspace, self.signal).opened[0]

    def approved(self, action: str) -> str:
        """The repair of this action, which somebody said yes to."""
        proposing.propose(self.workspace, self.incident)
        with self.workspace.writing(OPERATOR) as uow:
            found = next(each for each in service.listed(uow) if each.action == action)
            service.approve(uow, found.id, digest=found.digest)
        return str(found.id)

    def start(self) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "tests.acceptance.remediation.repairer", str(self.data), str(self.ledger)]
        found = subprocess.Popen(
            [*words, *([self.database] if self.database else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=environment(PYTHONPATH=f"{ROOT}:{ROOT / 'src'}", OPSLOOP_REMEDIATION_TICK_S="0.1"),
            text=True,
        )
        self._processes.append(found)
        assert found.stdout is not None
        assert found.stdout.readline().strip() == "ready"
        return found

    def hold(self, place: str) -> None:
        (self.ledger / f"hold-{place}").touch()

    def let_go(self, place: str) -> None:
        (self.ledger / f"hold-{place}").unlink()

    def stands_at(self, place: str) -> None:
        self.until(lambda: (self.ledger / f"at-{place}").exists(), what=f"a repair at {place!r}")

    def is_in(self, repair: str, state: State) -> Remediation:
        self.until(lambda: self.get(repair).state is state, what=f"{state}")
        return self.get(repair)

    def get(self, repair: str) -> Remediation:
        with self.workspace.reading(OPERATOR) as uow:
            return service.get(uow, repair)

    def records(self, action: str) -> int:
        with self.workspace.reading(OPERATOR) as uow:
            return len(audit.listed(uow, action=action))

    def is_verified(self) -> bool:
        with self.workspace.reading(OPERATOR) as uow:
            return audit.verify(uow, keys.own_public_key(self.data)).ok

    def until(self, met: Callable[[], Any], *, what: str) -> Any:
        pause, ends_at = threading.Event(), time.monotonic() + PATIENCE_S
        while time.monotonic() < ends_at:
            if found := met():
                return found
            pause.wait(0.05)
        raise AssertionError(f"{what}: not within {PATIENCE_S:g} s")

    def signal_over(self) -> None:
        told(self.workspace, over(self.signal, self.workspace.clock.now()))

    def close(self) -> None:
        for file in self.ledger.glob("hold-*"):
            file.unlink()
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
        for workspace in self._opened:
            workspace.close()

    def _open(self) -> Workspace:
        found = open_workspace(CoreSettings(data_dir=self.data, database_url=self.database))
        self._opened.append(found)
        return found


@pytest.fixture(autouse=True)
def test_actions(tmp_path: Path) -> Iterator[None]:
    """The actions of the ledger, which no other test is to find."""
    before = actions.OURS, playbooks.OURS
    install(tmp_path / "ledger")
    yield
    actions.OURS, playbooks.OURS = before
    actions.actions.cache_clear()
    playbooks._coded.cache_clear()


@pytest.fixture
def repairers(tmp_path: Path) -> Iterator[Repairers]:
    found = Repairers(tmp_path)
    yield found
    found.close()


def killed(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


@pytest.mark.slow
def test_approved_and_killed_before_its_turn_it_acts_after_the_restart(repairers: Repairers) -> None:
    repair = repairers.approved("test.once")
    repairers.start()
    repairers.is_in(repair, State.CHECKING)
    repairers.signal_over()
    assert repairers.is_in(repair, State.HELPED).acted == "a line was written"
    assert lines(repairers.ledger, "acts") == [repair]


@pytest.mark.slow
@pytest.mark.parametrize(("place", "done"), [("before", 0), ("after", 1)])
def test_killed_while_it_acts_nobody_can_know_and_it_is_not_done_again(
    repairers: Repairers, place: str, done: int
) -> None:
    repair = repairers.approved("test.once")
    repairers.hold(place)
    process = repairers.start()
    repairers.stands_at(place)
    assert repairers.get(repair).state is State.ACTING
    killed(process)
    repairers.let_go(place)
    repairers.start()
    found = repairers.is_in(repair, State.UNKNOWN)
    assert "nobody knows whether it did" in found.outcome
    assert len(lines(repairers.ledger, "acts")) == done


@pytest.mark.slow
@pytest.mark.parametrize("place", ["before", "after"])
def test_killed_while_it_acts_what_knows_its_key_is_done_once(repairers: Repairers, place: str) -> None:
    repair = repairers.approved("test.keyed")
    repairers.hold(place)
    process = repairers.start()
    repairers.stands_at(place)
    killed(process)
    repairers.let_go(place)
    repairers.start()
    repairers.is_in(repair, State.CHECKING)
    assert lines(repairers.ledger, "acts") == [repair]
    assert repairers.records("remediation.acted") == 1


@pytest.mark.slow
def test_killed_in_a_transaction_of_ours_it_is_done_once(repairers: Repairers) -> None:
    repair = repairers.approved("test.within")
    repairers.hold("after")
    process = repairers.start()
    repairers.stands_at("after")
    assert repairers.get(repair).state is State.APPROVED  # nothing of it can be seen before all of it
    killed(process)
    repairers.let_go("after")
    repairers.start()
    repairers.is_in(repair, State.CHECKING)
    assert (repairers.records("test.acted"), repairers.records("remediation.acted")) == (1, 1)
    assert repairers.is_verified()


@pytest.mark.slow
def test_killed_while_it_is_checked_it_is_judged_after_the_restart(repairers: Repairers) -> None:
    repair = repairers.approved("test.keyed")
    process = repairers.start()
    repairers.is_in(repair, State.CHECKING)
    killed(process)
    with repairers.workspace.writing(OPERATOR) as uow:
        halts.begin(uow, reason="a halt while something is checked")
    repairers.signal_over()
    repairers.start()
    repairers.is_in(repair, State.HELPED)  # a halt lets nothing act; to judge what acted is no act
    assert lines(repairers.ledger, "acts") == [repair]


@pytest.mark.slow
@pytest.mark.parametrize("action", ["test.keyed", "test.within"])
def test_killed_while_it_is_undone_the_undo_is_done_once(repairers: Repairers, action: str) -> None:
    repair = repairers.approved(action)
    repairers.hold("undo")
    process = repairers.start()
    repairers.is_in(repair, State.CHECKING)
    with repairers.workspace.writing(OPERATOR) as uow:
        service.undo(uow, repair, reason="it hit others")
    repairers.stands_at("undo")
    killed(process)
    repairers.let_go("undo")
    repairers.start()
    found = repairers.is_in(repair, State.UNDONE)
    assert "undo asked by key:maria" in found.outcome
    undone = repairers.records("test.undone") if action == "test.within" else len(lines(repairers.ledger, "undos"))
    assert undone == 1


@pytest.mark.slow
def test_halted_while_it_was_down_what_was_approved_does_nothing(repairers: Repairers) -> None:
    repair = repairers.approved("test.once")
    with repairers.workspace.writing(OPERATOR) as uow:
        halts.begin(uow, reason="a migration goes on")
    repairers.start()
    assert "repairs are halted by key:maria" in repairers.is_in(repair, State.VOID).outcome
    assert lines(repairers.ledger, "acts") == []


@pytest.mark.slow
def test_two_processes_on_one_postgresql_never_act_twice(tmp_path: Path, postgres: tuple[Server, str]) -> None:
    repairers = Repairers(tmp_path, postgres[1])
    try:
        for _ in range(2):
            repairers.start()
        asked = [repairers.approved(action) for action in ("test.once", "test.keyed", "test.within")]
        for repair in asked:
            repairers.is_in(repair, State.CHECKING)
        assert sorted(lines(repairers.ledger, "acts")) == sorted(asked[:2])
        assert repairers.records("test.acted") == 1
    finally:
        repairers.close()


@pytest.mark.slow
def test_the_process_that_takes_over_on_postgresql_acts_for_the_one_that_was_killed(
    tmp_path: Path, postgres: tuple[Server, str]
) -> None:
    repairers = Repairers(tmp_path, postgres[1])
    try:
        repair = repairers.approved("test.keyed")
        repairers.hold("after")
        first = repairers.start()
        repairers.stands_at("after")
        repairers.start()
        killed(first)
        repairers.let_go("after")
        repairers.is_in(repair, State.CHECKING)
        assert lines(repairers.ledger, "acts") == [repair]
    finally:
        repairers.close()


@pytest.mark.slow
def test_a_database_that_is_away_while_it_is_noted_is_waited_for(tmp_path: Path, postgres: tuple[Server, str]) -> None:
    server, url = postgres
    repairers = Repairers(tmp_path, url)
    try:
        repair = repairers.approved("test.keyed")
        repairers.hold("after")
        repairers.start()
        repairers.stands_at("after")
        server.stop()
        repairers.let_go("after")
        server.start()
        repairers.until(lambda: is_reached(repairers), what="the database")
        repairers.is_in(repair, State.CHECKING)
        assert lines(repairers.ledger, "acts") == [repair]
    finally:
        repairers.close()


def is_reached(repairers: Repairers) -> bool:
    try:
        repairers.records("remediation.acted")
    except DatabaseAway:
        return False
    return True
