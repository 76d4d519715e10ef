from __future__ import annotations

import threading
import zlib
from collections.abc import Iterable

from sqlalchemy import text

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.events import types
from opsloop.core.workspace import Workspace
from opsloop.incidents.logs import watching
from opsloop.incidents.logs.events import LogAnomalyFound
from opsloop.monitoring.telemetry import storing
from opsloop.monitoring.telemetry.models import LogRecord, Resource

SAID = ("request served in 12 ms", "cache hit for key 7", "pool holds 4 connections")


def _records(service: str, texts: Iterable[str], minute: int, severity: int = 9) -> list[LogRecord]:
    resource = Resource(f"id-{service}", service, {"service.name": service})
    at_us = minute * 60_000_000
    return [LogRecord(at_us, resource, severity, "", None, None, text, {}) for text in texts]


def _store(workspace: Workspace, by: Caller, records: list[LogRecord]) -> None:
    with workspace.writing(by) as uow:
        storing.logs(uow, records)


def _watched(workspace: Workspace, by: Caller, clock: FakeClock, *, most: int = 50) -> list[LogAnomalyFound]:
    """What is found until there is nothing to look at, as the platform's tending asks."""
    found: list[LogAnomalyFound] = []
    for _ in range(most):
        clock.advance(31)
        with workspace.reading(by) as uow:
            if not watching.any_uncounted(uow):
                return found
        with workspace.writing(by) as uow:
            watching.advance(uow)
            found += [each for each in uow.events if isinstance(each, LogAnomalyFound)]
    raise AssertionError("the watch does not come to an end")


def _healthy(workspace: Workspace, by: Caller, service: str, minutes: int = 60) -> None:
    records = [each for at in range(minutes) for each in _records(service, SAID * 4, at)]
    _store(workspace, by, records)


def test_a_burst_in_stored_logs_is_told_once(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    _healthy(workspace, admin, "shop")
    assert _watched(workspace, admin, clock) == []
    _store(workspace, admin, _records("shop", [f"cache hit for key {at}" for at in range(90)], 60))
    _store(workspace, admin, _records("shop", SAID, 61))
    [found] = _watched(workspace, admin, clock)
    assert (found.service, found.kind, found.template, found.count) == ("shop", "burst", "cache hit for key <*>", 90)
    assert found.evidence[0] == "cache hit for key 0"
    assert types.restore(types.name_of(found), types.payload_of(found)) == found
    assert _watched(workspace, admin, clock) == []


def test_services_are_watched_each_by_itself(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    _healthy(workspace, admin, "shop", minutes=300)
    _store(workspace, admin, _records("stock", ["no space left on device"], 300, severity=17))
    _store(workspace, admin, _records("shop", ["no space left on device"], 300, severity=17))
    _store(workspace, admin, _records("shop", SAID, 301) + _records("stock", SAID, 301))
    [found] = _watched(workspace, admin, clock)
    assert (found.service, found.kind) == ("shop", "rarity")


def test_records_that_come_while_others_are_looked_at_wait(
    sqlite_workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    _store(sqlite_workspace, admin, _records("shop", SAID, 0))
    with sqlite_workspace.writing(admin) as uow:
        assert watching.advance(uow) == len(SAID)
    _store(sqlite_workspace, admin, _records("shop", SAID, 1))
    with sqlite_workspace.reading(admin) as uow:
        assert not watching.any_uncounted(uow)
    clock.advance(31)
    with sqlite_workspace.writing(admin) as uow:
        assert watching.advance(uow) == 0
    clock.advance(31)
    with sqlite_workspace.writing(admin) as uow:
        assert watching.advance(uow) == len(SAID)


def test_a_watch_that_is_taken_back_looks_again(workspace: Workspace, admin: Caller) -> None:
    _store(workspace, admin, _records("shop", SAID, 0))
    try:
        with workspace.writing(admin) as uow:
            watching.advance(uow)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    with workspace.writing(admin) as uow:
        assert watching.advance(uow) == len(SAID)


def test_records_are_looked_at_once_by_whoever_comes_first(workspace: Workspace, admin: Caller) -> None:
    _store(workspace, admin, _records("shop", SAID, 0))
    counts: list[int] = []

    def watch() -> None:
        with workspace.writing(admin) as uow:
            counts.append(watching.advance(uow))

    threads = [threading.Thread(target=watch) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(counts) == [0, 0, 0, len(SAID)]


def test_only_so_many_services_are_kept(sqlite_workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    for at in range(watching.MOST_SERVICES + 20):
        _store(sqlite_workspace, admin, _records(f"made-up-{at}", ["hello"], 0))
    _watched(sqlite_workspace, admin, clock)
    with sqlite_workspace.reading(admin) as uow:
        kept = uow.session.execute(text("SELECT count(*) FROM log_watches")).scalar_one()
    assert kept == watching.MOST_SERVICES + 1


def test_a_state_of_another_version_is_learned_again(
    sqlite_workspace: Workspace, admin: Caller, clock: FakeClock
) -> None:
    _healthy(sqlite_workspace, admin, "shop", minutes=2)
    _watched(sqlite_workspace, admin, clock)
    with sqlite_workspace.writing(admin) as uow:
        old = {"old": zlib.compress(b'{"version": 0}')}
        uow.session.execute(text("UPDATE log_watches SET content = :old WHERE service = 'shop'"), old)
    _healthy(sqlite_workspace, admin, "shop", minutes=2)
    assert _watched(sqlite_workspace, admin, clock) == []
