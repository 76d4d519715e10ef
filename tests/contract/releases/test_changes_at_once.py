"""Changes of one endpoint that come at the same time follow each other, on every database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from opsloop.core.caller import Caller, Role
from opsloop.core.errors import Conflict, OpsloopError
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.releases import rollouts, routing, service
from opsloop.releases._tables import EndpointRow, ReleaseRow
from opsloop.releases.driver import Driver
from opsloop.releases.errors import EndpointExists, RolloutGoesOn, RolloutIsOver
from opsloop.releases.models import RolloutStatus
from opsloop.releases.strategies.registry import plan_of

OPERATOR = Caller("test:operator", Role.OPERATOR)
AT_ONCE = 4
ROUNDS = range(5)
Work = Callable[[UnitOfWork], object]


def all_at_once(workspace: Workspace, works: list[Work]) -> list[OpsloopError | None]:
    """Each work in its own thread and transaction; the errors, None for each that went well."""
    start = threading.Barrier(len(works))

    def run(work: Work) -> OpsloopError | None:
        start.wait(timeout=60)
        try:
            with workspace.writing(OPERATOR) as uow:
                work(uow)
        except OpsloopError as error:
            return error
        return None

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def add_release(uow: UnitOfWork, endpoint: EndpointRow) -> ReleaseRow:
    endpoint.releases += 1
    row = ReleaseRow(
        id=f"release_{endpoint.releases}",
        endpoint="chat",
        number=endpoint.releases,
        kind="flow",
        serves="answer@1",
        serves_digest="d",
        serves_artifact="flows/d",
        config={},
        evaluation=None,
        gate=None,
        digest="b",
        created_at=uow.clock.now(),
        created_by="test:operator",
    )
    uow.session.add(row)
    uow.session.flush()
    return row


def open_rollout(uow: UnitOfWork, strategy: str) -> str:
    endpoint = rollouts.lock_endpoint(uow, "chat")
    return rollouts.open_rollout(uow, endpoint, add_release(uow, endpoint), plan_of(strategy)).id


@pytest.fixture
def live(workspace: Workspace) -> Workspace:
    with workspace.writing(OPERATOR) as uow:
        service.create_endpoint(uow, "chat")
    with workspace.writing(OPERATOR) as uow:
        open_rollout(uow, "blue-green")
    return workspace


def begin(workspace: Workspace) -> str:
    with workspace.writing(OPERATOR) as uow:
        return open_rollout(uow, "canary")


def status(workspace: Workspace, rollout: str) -> RolloutStatus:
    with workspace.reading(OPERATOR) as uow:
        return rollouts.get(uow, rollout).rollout.status


@pytest.mark.parametrize("_round", ROUNDS)
def test_of_two_promotions_one_is_told_that_it_came_late(live: Workspace, _round: int) -> None:
    rollout = begin(live)
    errors = all_at_once(live, [lambda uow: rollouts.promote(uow, rollout)] * AT_ONCE)
    late = [error for error in errors if error is not None]
    assert [type(error) for error in late] == [RolloutIsOver] * (AT_ONCE - 1)
    assert "is promoted already" in late[0].sentence


@pytest.mark.parametrize("_round", ROUNDS)
def test_a_promotion_and_a_rollback_at_once_end_in_one_of_them(live: Workspace, _round: int) -> None:
    rollout = begin(live)
    errors = all_at_once(
        live, [lambda uow: rollouts.promote(uow, rollout), lambda uow: rollouts.roll_back(uow, rollout)]
    )
    assert sorted(error is None for error in errors) == [False, True]
    won = RolloutStatus.PROMOTED if errors[0] is None else RolloutStatus.ROLLED_BACK
    assert status(live, rollout) is won
    with live.reading(OPERATOR) as uow:
        stable = routing.routing_table(uow).routes["chat"].stable
    assert stable is not None
    assert stable.number == (2 if won is RolloutStatus.PROMOTED else 1)


def test_an_endpoint_is_in_one_rollout_at_a_time(live: Workspace) -> None:
    errors = all_at_once(live, [lambda uow: open_rollout(uow, "canary")] * AT_ONCE)
    assert [type(error) for error in errors if error] == [RolloutGoesOn] * (AT_ONCE - 1)


def test_an_endpoint_is_made_by_one_of_those_who_ask_at_once(workspace: Workspace) -> None:
    errors = all_at_once(workspace, [lambda uow: service.create_endpoint(uow, "chat")] * AT_ONCE)
    assert [type(error) for error in errors if error] == [EndpointExists] * (AT_ONCE - 1)


def test_every_change_has_its_own_version_of_the_table(workspace: Workspace) -> None:
    names = [f"chat-{number}" for number in range(AT_ONCE)]
    works: list[Work] = [lambda uow, name=name: service.create_endpoint(uow, name) for name in names]  # type: ignore[misc]
    assert all_at_once(workspace, works) == [None] * AT_ONCE
    with workspace.reading(OPERATOR) as uow:
        assert routing.routing_version(uow) == AT_ONCE


@pytest.mark.parametrize("_round", ROUNDS)
def test_a_driver_and_an_operator_do_not_wait_for_each_other_forever(live: Workspace, _round: int) -> None:
    rollout = begin(live)
    driver = Driver.of(live, rollout)
    errors = all_at_once(live, [driver.advance, lambda uow: service.roll_back(uow, "chat")])
    assert not [error for error in errors if error is not None and not isinstance(error, Conflict)]
    assert status(live, rollout) is RolloutStatus.ROLLED_BACK
    with live.reading(OPERATOR) as uow:
        assert routing.routing_table(uow).routes["chat"].candidate is None
