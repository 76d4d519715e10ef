from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.errors import NotFound
from opsloop.core.events._tables import OutboxRow
from opsloop.core.notices import signatures
from opsloop.core.workspace import Workspace
from opsloop.monitoring.alerts import declaring, evaluating, service, silencing
from opsloop.monitoring.alerts.errors import AlertIsOver, NoChannel
from opsloop.monitoring.alerts.models import AlertState
from opsloop.monitoring.objectives import tallying
from opsloop.monitoring.objectives.models import Measure, Tally
from opsloop.monitoring.objectives.tallying import Entry
from tests.integration.monitoring.alerts.conftest import Receiver, evaluate, only

SLOW = {"metric": "mean_ms", "above": 100, "window_s": 60, "for_s": 60, "endpoint": "chat"}


def answers(workspace: Workspace, by: Caller, mean_ms: float, *, endpoint: str = "chat", count: int = 10) -> None:
    with workspace.writing(by) as uow:
        tally = Tally(count, count, count * mean_ms)
        tallying.add(uow, [Entry(endpoint, Measure.MEAN_LATENCY, uow.clock.now(), tally)])


def events(workspace: Workspace, by: Caller) -> list[str]:
    with workspace.reading(by) as uow:
        query = select(OutboxRow.type).where(OutboxRow.type.like("alert.%")).order_by(OutboxRow.seq)
        return list(uow.session.scalars(query))


def test_an_alert_waits_fires_and_ends(
    workspace: Workspace, admin: Caller, clock: FakeClock, receiver: Receiver
) -> None:
    only(workspace, admin, slow=SLOW)
    answers(workspace, admin, 500)
    [found] = evaluate(workspace, admin)
    assert (found.state, found.endpoint, receiver.came) == (AlertState.PENDING, "chat", [])
    clock.advance(60)
    answers(workspace, admin, 500)
    [found] = evaluate(workspace, admin)
    assert found.state is AlertState.FIRING
    [(_, body, headers)] = receiver.came
    assert body["alerts"][0]["summary"] == "mean_ms is 500 over 60 s, above 100"
    assert headers[signatures.HEADER].startswith("t=")
    clock.advance(60)
    [found] = evaluate(workspace, admin)
    assert found.state is AlertState.FIRING  # it may come back at once
    clock.advance(300)
    [found] = evaluate(workspace, admin)
    assert found.state is AlertState.RESOLVED
    assert [each[1]["alerts"][0]["state"] for each in receiver.came] == ["firing", "resolved"]
    assert events(workspace, admin) == ["alert.fired", "alert.resolved"]


def test_what_did_not_hold_long_enough_is_forgotten(
    workspace: Workspace, admin: Caller, clock: FakeClock, receiver: Receiver
) -> None:
    only(workspace, admin, slow=SLOW)
    answers(workspace, admin, 500)
    evaluate(workspace, admin)
    clock.advance(60)
    assert evaluate(workspace, admin) == []
    assert (receiver.came, events(workspace, admin)) == ([], [])


def test_one_alert_however_often_it_is_found(
    workspace: Workspace, admin: Caller, clock: FakeClock, receiver: Receiver
) -> None:
    only(workspace, admin, slow={**SLOW, "for_s": 0})
    for _ in range(5):
        answers(workspace, admin, 500)
        assert len(evaluate(workspace, admin)) == 1
        clock.advance(15)
    assert len(receiver.came) == 1


def test_another_process_evaluates_later(workspace: Workspace, admin: Caller, clock: FakeClock) -> None:
    def once() -> bool:
        with workspace.writing(admin) as uow:
            return evaluating.evaluate(uow)

    assert [once(), once()] == [True, False]
    clock.advance(15)
    assert once()
    clock.jump_to(clock.now() - timedelta(days=1))  # set back: no reason to stop for a day
    assert once()


def test_alerts_of_an_endpoint_go_as_one_message(
    workspace: Workspace, admin: Caller, clock: FakeClock, receiver: Receiver
) -> None:
    only(
        workspace,
        admin,
        slow={"metric": "mean_ms", "above": 100},
        slower={"metric": "mean_ms", "above": 200, "severity": "page"},
    )
    for endpoint in ("chat", "search"):
        answers(workspace, admin, 500, endpoint=endpoint)
    evaluate(workspace, admin)
    told = [{(each["endpoint"], each["rule"]) for each in body["alerts"]} for _, body, _ in receiver.came]
    assert sorted(map(sorted, told)) == [
        [("chat", "slow"), ("chat", "slower")], [("search", "slow"), ("search", "slower")]
    ]  # fmt: skip


def test_a_silence_keeps_people_from_being_told(
    workspace: Workspace, admin: Caller, clock: FakeClock, receiver: Receiver
) -> None:
    only(workspace, admin, slow={**SLOW, "for_s": 0})
    with workspace.writing(admin) as uow:
        silencing.silence(uow, {"endpoint": "ch*"}, lasts_s=120, reason="we are moving it")
    answers(workspace, admin, 500)
    [found] = evaluate(workspace, admin)
    assert (found.state, found.is_silenced, receiver.came) == (AlertState.FIRING, True, [])
    clock.advance(121)
    answers(workspace, admin, 500)
    evaluate(workspace, admin)
    assert len(receiver.came) == 1


def test_who_acknowledges_is_not_told_again(
    workspace: Workspace, admin: Caller, clock: FakeClock, receiver: Receiver
) -> None:
    only(workspace, admin, slow={**SLOW, "for_s": 0}, other={**SLOW, "for_s": 0, "above": 200})
    answers(workspace, admin, 500)
    found = {each.rule: each for each in evaluate(workspace, admin)}
    with workspace.writing(admin) as uow:
        assert service.acknowledge(uow, found["slow"].id).acknowledged_by == "test:admin"
    clock.advance(4 * 3_600)
    answers(workspace, admin, 500)
    evaluate(workspace, admin)
    assert [[each["rule"] for each in body["alerts"]] for _, body, _ in receiver.came][1:] == [["other"]]
    clock.advance(1_000)
    evaluate(workspace, admin)
    with pytest.raises(AlertIsOver), workspace.writing(admin) as uow:
        service.acknowledge(uow, found["slow"].id)


def test_an_alert_that_comes_and_goes_stays_longer(
    workspace: Workspace, admin: Caller, clock: FakeClock, receiver: Receiver
) -> None:
    only(workspace, admin, slow={**SLOW, "for_s": 0})
    stayed = []
    for _ in range(3):
        answers(workspace, admin, 500)
        evaluate(workspace, admin)
        clock.advance(60)
        minutes = 0
        while evaluate(workspace, admin)[0].state is AlertState.FIRING:
            clock.advance(60)
            minutes += 1
        stayed.append(minutes)
    assert stayed == [4, 9, 19]


def test_a_burning_objective_is_a_page(
    workspace: Workspace, admin: Caller, clock: FakeClock, receiver: Receiver
) -> None:
    with workspace.writing(admin) as uow:
        declaring.declare(uow, "channels", "hook", {"webhook": "https://hooks.example.com/x", "severities": ["page"]})
        tallying.add(uow, [Entry("chat", Measure.AVAILABILITY, uow.clock.now(), Tally(1_000, 900))])
    found = {each.rule: each for each in evaluate(workspace, admin)}
    assert found["objective-burns"].severity == "page"
    assert found["objective-burns"].labels == {"endpoint": "chat", "objective": "availability"}
    assert [each["rule"] for each in receiver.came[0][1]["alerts"]] == ["objective-burns"]
    assert found["objective-broken"].severity == "ticket"


def test_an_alertmanager_hears_of_what_fires_every_minute(
    workspace: Workspace, admin: Caller, clock: FakeClock, receiver: Receiver
) -> None:
    only(workspace, admin, slow={**SLOW, "for_s": 0})
    with workspace.writing(admin) as uow:
        declaring.withdraw(uow, "channels", "hook")
        declaring.declare(uow, "channels", "cluster", {"alertmanager": "http://alertmanager:9093"})
    for _ in range(8):
        answers(workspace, admin, 500)
        evaluate(workspace, admin)
        clock.advance(15)
    assert {url for url, _, _ in receiver.came} == {"http://alertmanager:9093/api/v2/alerts"}
    assert len(receiver.came) == 2
    first = receiver.came[0][1][0]
    assert first["labels"]["alertname"] == "slow"
    assert first["endsAt"] > first["startsAt"]
    clock.advance(400)
    evaluate(workspace, admin)
    assert receiver.came[-1][1][0]["endsAt"] == clock.now().isoformat()


def test_a_channel_can_be_tried(workspace: Workspace, admin: Caller, receiver: Receiver) -> None:
    only(workspace, admin)
    with workspace.writing(admin) as uow:
        assert service.try_channel(uow, "hook").to == "https://hooks.example.com"
    evaluate(workspace, admin)
    assert "nothing is wrong" in receiver.came[0][1]["alerts"][0]["summary"]
    with pytest.raises(NoChannel), workspace.writing(admin) as uow:
        service.try_channel(uow, "nowhere")
    with pytest.raises(NotFound), workspace.reading(admin) as uow:
        service.get(uow, "alert_\0")


def test_few_requests_have_no_mean(workspace: Workspace, admin: Caller, receiver: Receiver) -> None:
    only(workspace, admin, slow={**SLOW, "for_s": 0})
    answers(workspace, admin, 5_000, count=2)
    assert evaluate(workspace, admin) == []
