"""Endpoints and releases, as an operator handles them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from opsloop.core.audit import service as audit
from opsloop.core.caller import Caller, NotAllowed, Role
from opsloop.core.errors import Conflict, InvalidInput, NotFound
from opsloop.core.events.outbox import deliver_due, subscriber
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.releases import rollouts, routing, service
from opsloop.releases.driver import Driver
from opsloop.releases.errors import EndpointExists, NoEarlierRelease, NothingReleased, RolloutGoesOn, ServedAlready
from opsloop.releases.events import EndpointRolledBack, RolloutPromoted, RolloutRolledBack, RolloutStarted
from opsloop.releases.models import EndpointState, Released, RolloutStatus
from tests.integration.releases.conftest import OPERATOR

Register = Callable[[Workspace, str], str]


def make_endpoint(workspace: Workspace, name: str = "chat") -> None:
    with workspace.writing(OPERATOR) as uow:
        service.create_endpoint(uow, name)


def release(workspace: Workspace, flow: str, **options: Any) -> Released:
    with workspace.writing(OPERATOR) as uow:
        return service.create_release(uow, "chat", flow=flow, **options)


def state(workspace: Workspace) -> EndpointState:
    with workspace.reading(OPERATOR) as uow:
        return service.endpoint(uow, "chat")


def stable_number(workspace: Workspace) -> int | None:
    found = state(workspace).stable
    return found.number if found else None


def version(workspace: Workspace) -> int:
    with workspace.reading(OPERATOR) as uow:
        return routing.routing_version(uow)


@pytest.fixture
def live(workspace: Workspace, registered: Register) -> Workspace:
    """A workspace whose endpoint `chat` serves `answer@1`, and where `answer@2` and `answer@3` wait."""
    make_endpoint(workspace)
    release(workspace, registered(workspace, "one"))
    registered(workspace, "two")
    registered(workspace, "three")
    return workspace


def test_a_new_endpoint_serves_nothing_and_the_first_one_is_the_default(workspace: Workspace) -> None:
    make_endpoint(workspace)
    make_endpoint(workspace, "another")
    with workspace.reading(OPERATOR) as uow:
        table = routing.routing_table(uow)
        assert [each.endpoint.name for each in service.endpoints(uow)] == ["chat", "another"]
    assert (table.default, table.routes["chat"].stable) == ("chat", None)
    with pytest.raises(NothingReleased):
        routing.choose(table.routes["chat"], "user-1")


@pytest.mark.parametrize("name", ["", "Chat", "a b", "../x", "-a", "a-", "a" * 64, "ä", "a\n"])
def test_a_name_that_is_no_name_is_refused(sqlite_workspace: Workspace, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"^name: "):
        make_endpoint(sqlite_workspace, name)


def test_an_endpoint_is_made_once(workspace: Workspace) -> None:
    make_endpoint(workspace)
    with pytest.raises(EndpointExists, match="'chat' exists already"):
        make_endpoint(workspace)


def test_the_first_release_serves_at_once(live: Workspace) -> None:
    found = state(live)
    assert (found.stable and found.stable.serves, found.candidate) == ("answer@1", None)
    assert found.rollout is not None
    assert (found.rollout.status, found.rollout.share) == (RolloutStatus.PROMOTED, 1.0)


def test_a_later_release_starts_a_rollout_with_a_job_to_drive_it(live: Workspace) -> None:
    before = version(live)
    made = release(live, "answer@2")
    assert (made.rollout.status, made.rollout.share, made.release.number) == (RolloutStatus.WAITING, 0.0, 2)
    assert version(live) > before
    with live.reading(OPERATOR) as uow:
        from opsloop.core.jobs import service as jobs

        [job] = jobs.listed(uow, kind=rollouts.DRIVE)
    assert job.payload == {"rollout": made.rollout.id}


def test_a_second_rollout_has_to_wait_for_the_first(live: Workspace) -> None:
    first = release(live, "answer@2")
    with pytest.raises(RolloutGoesOn, match=first.rollout.id):
        release(live, "answer@3")
    with live.reading(OPERATOR) as uow:
        assert len(service.releases(uow, "chat")) == 2


def test_the_very_bundle_that_is_served_is_not_released_again(live: Workspace) -> None:
    with pytest.raises(ServedAlready, match="as release 1"):
        release(live, "answer@1")
    assert release(live, "answer@1", config={"temperature": 0}).release.number == 2


def test_a_digest_is_over_content_and_configuration(live: Workspace) -> None:
    digests = set()
    for config in ({}, {"a": 1}, {"a": 2}):
        made = release(live, "answer@2", config=config)
        digests.add(made.release.digest)
        with live.writing(OPERATOR) as uow:
            rollouts.abort(uow, made.rollout.id)
    assert len(digests) == 3
    assert release(live, "answer@2", config={"a": 1}).release.digest in digests


@pytest.mark.parametrize("config", [{"a": float("nan")}, {"a": 2**70}, {"a": object()}])
def test_a_configuration_that_is_no_json_is_refused(live: Workspace, config: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=r"^config: "):
        release(live, "answer@2", config=config)


def test_blue_green_switches_in_one_transaction(live: Workspace) -> None:
    made = release(live, "answer@2", strategy="blue-green")
    assert made.rollout.status is RolloutStatus.PROMOTED
    assert stable_number(live) == 2


def test_an_unknown_flow_or_endpoint_is_named(live: Workspace) -> None:
    with pytest.raises(NotFound, match="answer@9"):
        release(live, "answer@9")
    with live.writing(OPERATOR) as uow, pytest.raises(NotFound, match="endpoint named 'nope'"):
        service.create_release(uow, "nope", flow="answer@1")


def test_rolling_back_an_endpoint_goes_back_release_by_release(live: Workspace) -> None:
    release(live, "answer@2", strategy="blue-green")
    release(live, "answer@3", strategy="blue-green")
    for expected in (2, 1):
        before = version(live)
        with live.writing(OPERATOR) as uow:
            found = service.roll_back(uow, "chat")
        assert found.stable is not None
        assert found.stable.number == stable_number(live) == expected
        assert version(live) > before
    with live.writing(OPERATOR) as uow, pytest.raises(NoEarlierRelease, match="release 1 is the first"):
        service.roll_back(uow, "chat")


def test_what_was_taken_back_says_so_in_its_history(live: Workspace) -> None:
    made = release(live, "answer@2", strategy="blue-green")
    with live.writing(OPERATOR) as uow:
        service.roll_back(uow, "chat")
    with live.reading(OPERATOR) as uow:
        last = rollouts.get(uow, made.rollout.id).events[-1]
    assert (last.kind, last.share, last.by) == ("taken_back", 0.0, "test:operator")


def test_rolling_back_an_endpoint_in_a_rollout_takes_the_candidate_back(live: Workspace) -> None:
    made = release(live, "answer@2")
    with live.writing(OPERATOR) as uow:
        found = service.roll_back(uow, "chat")
    assert found.candidate is None
    assert found.stable is not None
    assert found.stable.number == 1
    with live.reading(OPERATOR) as uow:
        assert rollouts.get(uow, made.rollout.id).rollout.status is RolloutStatus.ROLLED_BACK


def test_an_endpoint_that_serves_nothing_cannot_be_rolled_back(workspace: Workspace) -> None:
    make_endpoint(workspace)
    with workspace.writing(OPERATOR) as uow, pytest.raises(NothingReleased):
        service.roll_back(uow, "chat")


@pytest.mark.parametrize("act", [rollouts.promote, rollouts.roll_back, rollouts.abort, rollouts.pause, rollouts.resume])
def test_what_is_over_cannot_be_changed(live: Workspace, act: Callable[[UnitOfWork, str], object]) -> None:
    made = release(live, "answer@2")
    with live.writing(OPERATOR) as uow:
        rollouts.promote(uow, made.rollout.id)
    with live.writing(OPERATOR) as uow, pytest.raises(Conflict, match="is promoted already"):
        act(uow, made.rollout.id)
    assert stable_number(live) == 2


def test_a_rollout_that_waits_paused_starts_when_it_is_resumed(live: Workspace) -> None:
    made = release(live, "answer@2").rollout.id
    driver = Driver.of(live, made)
    with live.writing(OPERATOR) as uow:
        rollouts.pause(uow, made)
    driver.tick(live)
    with live.reading(OPERATOR) as uow:
        assert routing.routing_table(uow).routes["chat"].candidate_share == 0.0
    with live.writing(OPERATOR) as uow:
        rollouts.resume(uow, made)
    driver.tick(live)
    with live.reading(OPERATOR) as uow:
        assert routing.routing_table(uow).routes["chat"].candidate_share == 0.05


def test_only_a_paused_rollout_is_resumed_and_it_is_paused_once(live: Workspace) -> None:
    made = release(live, "answer@2").rollout.id
    with live.writing(OPERATOR) as uow, pytest.raises(Conflict, match="only a paused one"):
        rollouts.resume(uow, made)
    with live.writing(OPERATOR) as uow:
        rollouts.pause(uow, made)
    with live.writing(OPERATOR) as uow, pytest.raises(Conflict, match="only a running one"):
        rollouts.pause(uow, made)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DEVELOPER])
def test_releasing_is_for_operators(live: Workspace, role: Role) -> None:
    made = release(live, "answer@2").rollout.id
    caller = Caller("test:other", role)
    asks: list[Callable[[UnitOfWork], object]] = [
        lambda uow: service.create_endpoint(uow, "other"),
        lambda uow: service.create_release(uow, "chat", flow="answer@3"),
        lambda uow: service.roll_back(uow, "chat"),
        *(
            lambda uow, act=act: act(uow, made)
            for act in (rollouts.promote, rollouts.roll_back, rollouts.abort, rollouts.pause, rollouts.resume)
        ),
    ]
    for ask in asks:
        with live.writing(caller) as uow, pytest.raises(NotAllowed):
            ask(uow)
    with live.reading(caller) as uow:
        assert rollouts.get(uow, made).rollout.status is RolloutStatus.WAITING


def test_everything_that_is_done_is_on_the_record(live: Workspace) -> None:
    made = release(live, "answer@2").rollout.id
    for act in (rollouts.pause, rollouts.resume, rollouts.promote):
        with live.writing(OPERATOR) as uow:
            act(uow, made)
    with live.writing(OPERATOR) as uow:
        service.roll_back(uow, "chat")
    with live.reading(OPERATOR) as uow:
        trail = [event.action for event in audit.listed(uow, target="endpoint/chat")]
    assert trail[::-1] == [
        "endpoint.created",
        "release.created",
        "rollout.promoted",
        "release.created",
        "rollout.paused",
        "rollout.resumed",
        "rollout.promoted",
        "endpoint.rolled_back",
    ]


def test_others_hear_what_happened(live: Workspace) -> None:
    heard: list[object] = []
    for kind in (RolloutStarted, RolloutPromoted, RolloutRolledBack, EndpointRolledBack):
        subscriber(kind, "test.releases")(lambda _uow, event: heard.append(event))
    deliver_due(live)
    heard.clear()
    made = release(live, "answer@2")
    Driver.of(live, made.rollout.id).tick(live)
    with live.writing(OPERATOR) as uow:
        rollouts.roll_back(uow, made.rollout.id)
    deliver_due(live)
    stable = state(live).stable
    assert stable is not None
    assert heard == [
        RolloutStarted(made.rollout.id, "chat", made.release.id, 0.05),
        RolloutRolledBack(
            made.rollout.id, "chat", made.release.id, stable.id, "rolled back by test:operator", by_analysis=False
        ),
    ]


def test_a_release_whose_transaction_fails_leaves_no_trace(live: Workspace) -> None:
    before = version(live)

    def fail() -> None:
        with live.writing(OPERATOR) as uow:
            service.create_release(uow, "chat", flow="answer@2")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (version(live), state(live).candidate) == (before, None)
    assert release(live, "answer@2").release.number == 2
