"""Renewals on every database: the whole way, and what comes at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from opsloop.core.clock import FakeClock
from opsloop.core.errors import OpsloopError
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.monitoring.drift.events import DriftDetected
from opsloop.releases.renewals import jobs, service, subscribers
from opsloop.releases.renewals.errors import NothingToApprove, RenewalGoesOn, RenewalIsOver
from opsloop.releases.renewals.models import RenewalState
from tests.integration.releases.renewals.conftest import ENDPOINT, LABELLED, OPERATOR, rows, signs_of
from tests.training_here import training_here

assert training_here
pytestmark = pytest.mark.usefixtures("training_here")
AT_ONCE = 4


def all_at_once(workspace: Workspace, work: Callable[[UnitOfWork], object]) -> list[OpsloopError | None]:
    start = threading.Barrier(AT_ONCE)

    def run(_number: int) -> OpsloopError | None:
        start.wait(timeout=60)
        try:
            with workspace.writing(OPERATOR) as uow:
                work(uow)
        except OpsloopError as error:
            return error
        return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, range(AT_ONCE)))


def test_the_way_from_an_alarm_to_a_champion(workspace: Workspace, clock: FakeClock) -> None:
    signs = signs_of(workspace, clock, labelled=LABELLED)
    signs.alarm()
    signs.asked(rows(240, at=-0.5, seed=9))
    signs.settle()
    signs.roll_out()
    signs.settle()
    found = signs.newest().renewal
    assert (found.state, found.challenger) == (RenewalState.PROMOTED, "signs@2")
    assert signs.aliases("signs@2") == ("champion",)


def test_of_those_who_start_one_at_once_one_does(workspace: Workspace, clock: FakeClock) -> None:
    signs = signs_of(workspace, clock)
    errors = all_at_once(workspace, lambda uow: service.start(uow, ENDPOINT))
    assert [type(error) for error in errors if error] == [RenewalGoesOn] * (AT_ONCE - 1)
    assert len(signs.renewals()) == 1


def test_alarms_that_come_at_once_join_one_renewal(workspace: Workspace, clock: FakeClock) -> None:
    signs = signs_of(workspace, clock)
    stable = signs.endpoint().stable
    assert stable is not None
    numbers = iter(range(AT_ONCE))

    def hear(uow: UnitOfWork) -> None:
        event = DriftDetected(f"alarm_{next(numbers)}", ENDPOINT, stable.id, stable.serves, "a", "a moved", 1.1)
        subscribers.on_drift(uow, event)

    assert all_at_once(workspace, hear) == [None] * AT_ONCE
    [only] = signs.renewals()
    assert len(only.alarms) == AT_ONCE


def test_of_those_who_approve_at_once_one_releases(workspace: Workspace, clock: FakeClock) -> None:
    signs = signs_of(workspace, clock, approve="person")
    signs.register([*rows(300), *rows(200, seed=4)])
    signs.train(trigger="schedule")
    signs.settle()
    waiting = signs.newest().renewal.id
    late = [error for error in all_at_once(workspace, lambda uow: service.approve(uow, waiting)) if error]
    assert len(late) == AT_ONCE - 1
    assert all(isinstance(error, NothingToApprove | RenewalIsOver) for error in late)


def test_a_piece_that_two_processes_do_is_done_once(workspace: Workspace, clock: FakeClock) -> None:
    signs = signs_of(workspace, clock)
    signs.register([*rows(300), *rows(200, seed=4)])
    with workspace.writing(OPERATOR) as uow:
        renewal = service.start(uow, ENDPOINT).id
    start = threading.Barrier(2)

    def collect(_number: int) -> None:
        start.wait(timeout=60)
        jobs.PIECES[RenewalState.COLLECTING](workspace, renewal)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(collect, range(2)))
    assert [event.kind for event in signs.newest().events] == ["started", "training"]
