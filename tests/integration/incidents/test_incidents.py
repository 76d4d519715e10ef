"""Signals become incidents on both databases: each once, with what belongs to it, until somebody says what it was."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from opsloop.core.audit import service as audit
from opsloop.core.caller import Caller, NotAllowed, Role
from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.events._tables import OutboxRow
from opsloop.core.workspace import Workspace
from opsloop.incidents import service
from opsloop.incidents.errors import IncidentIsClosed
from opsloop.incidents.learning import detectors
from opsloop.incidents.models import ClosedAs, IncidentState, Suspect
from tests.integration.incidents.telling import over, seen, told

MARIA = Caller("key:maria", Role.OPERATOR)
READER = Caller("key:reader", Role.VIEWER)


def test_a_signal_opens_an_incident_once(workspace: Workspace, clock: FakeClock) -> None:
    first = told(workspace, seen(service="checkout", at=clock.now()))
    again = told(workspace, seen(service="checkout", at=clock.now()))
    assert (first.new, len(first.opened)) == (1, 1)
    assert (again.new, again.known, again.opened) == (0, 1, ())
    with workspace.reading(READER) as uow:
        incident = service.get(uow, first.opened[0])
    assert incident.title == "HighErrorRate at checkout"
    assert incident.subjects == ("service:checkout",)
    assert (incident.signal_count, incident.told_count, incident.signals[0].times) == (1, 2, 2)
    assert [each.kind for each in incident.timeline] == ["opened", "signal"]


def test_signals_of_one_service_are_one_incident_and_of_strangers_two_a_minute_later(
    workspace: Workspace, clock: FakeClock
) -> None:
    now = clock.now()
    clock.advance(90)
    done = told(
        workspace,
        seen("HighErrorRate", service="checkout", at=now),
        seen("HighLatency", service="checkout", at=now),
        seen("DiskFull", host="db-7", text="/var has no room", at=now + timedelta(seconds=60)),
    )
    assert len(done.opened) == 2


def test_a_signal_for_information_opens_nothing_and_joins(workspace: Workspace, clock: FakeClock) -> None:
    assert told(workspace, seen("Deployed", service="checkout", severity="info", at=clock.now())).opened == ()
    opened = told(workspace, seen(service="checkout", at=clock.now())).opened
    told(workspace, seen("Deployed", service="checkout", severity="info", at=clock.now()))
    with workspace.reading(READER) as uow:
        assert service.get(uow, opened[0]).signal_count == 2
        assert service.waiting_signals(uow) == []


def test_an_incident_is_mitigated_when_its_signals_are_over_and_open_when_one_is_back(
    workspace: Workspace, clock: FakeClock
) -> None:
    signal = seen(service="checkout", at=clock.now())
    opened = told(workspace, signal).opened[0]
    told(workspace, over(signal))
    with workspace.reading(READER) as uow:
        assert service.get(uow, opened).state is IncidentState.MITIGATED
    for _ in range(30):
        clock.advance(30)
        told(workspace, signal)
        clock.advance(30)
        told(workspace, over(signal))
    with workspace.reading(READER) as uow:
        incident = service.get(uow, opened)
    assert (incident.signal_count, incident.signals[0].flaps) == (1, 30)
    assert len(incident.timeline) < 10  # thirty comings and goings are not sixty lines


def test_a_signal_that_comes_back_much_later_is_another(workspace: Workspace, clock: FakeClock) -> None:
    signal = seen(service="checkout", at=clock.now())
    told(workspace, signal)
    told(workspace, over(signal))
    clock.advance(86_400)
    done = told(workspace, seen(service="checkout", at=clock.now()))
    assert (done.new, len(done.opened)) == (1, 1)


def test_an_incident_opens_only_after_as_many_tellings_as_a_rule_says(
    sqlite_workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSLOOP_INCIDENT_AFTER", '{"Flaky*": 3}')
    signal = seen("FlakyProbe", service="checkout", at=clock.now())
    opened = [told(sqlite_workspace, signal).opened for _ in range(3)]
    assert [len(each) for each in opened] == [0, 0, 1]


def test_ten_thousand_alerts_of_a_minute_are_a_handful_of_incidents(workspace: Workspace, clock: FakeClock) -> None:
    opened = 0
    for batch in range(10):
        signals = [
            seen(f"Alert{number % 700}", service=f"service-{number % 97}", host=f"node-{number}", at=clock.now())
            for number in range(batch * 1_000, (batch + 1) * 1_000)
        ]
        opened += len(told(workspace, *signals).opened)
        clock.advance(5)
    assert 1 <= opened <= 12
    with workspace.reading(READER) as uow:
        found = service.list_incidents(uow, going_on=True)
        assert sum(each.signal_count for each in found) == 10_000
        assert all(len(service.get(uow, each.id).timeline) < 60 for each in found)


def test_two_who_tell_the_same_at_once_make_one_incident(workspace: Workspace, clock: FakeClock) -> None:
    start = threading.Barrier(4)
    opened: list[int] = []

    def tell() -> None:
        start.wait(60)
        opened.append(len(told(workspace, seen(service="checkout", at=clock.now())).opened))

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(opened) == 1
    with workspace.reading(READER) as uow:
        assert [each.told_count for each in service.list_incidents(uow)] == [4]


def test_it_is_acknowledged_noted_and_closed_on_the_record(workspace: Workspace, clock: FakeClock) -> None:
    opened = told(workspace, seen(endpoint="chat", at=clock.now())).opened[0]
    with workspace.writing(MARIA) as uow:
        assert service.acknowledge(uow, opened).state is IncidentState.ACKNOWLEDGED
        service.note(uow, opened, "the cache\nis cold")
        closed = service.close(uow, opened, closed_as=ClosedAs.CAUSE, cause="release 7")
    assert (closed.state, closed.closed_by, closed.cause) == (IncidentState.CLOSED, "key:maria", "release 7")
    assert [each.kind for each in closed.timeline][-3:] == ["acknowledged", "note", "closed"]
    with workspace.writing(MARIA) as uow, pytest.raises(IncidentIsClosed):
        service.close(uow, opened, closed_as=ClosedAs.OTHER, cause="again")
    with workspace.reading(Caller("test", Role.ADMIN)) as uow:
        actions = [each.action for each in audit.listed(uow) if each.action.startswith("incident.")]
        types = list(uow.session.scalars(select(OutboxRow.type).order_by(OutboxRow.seq)))
    assert actions == ["incident.closed", "incident.noted", "incident.acknowledged", "incident.opened"]
    assert types == ["incident.opened", "incident.changed", "incident.closed"]


def test_closing_wants_a_cause_in_words_and_an_operator(workspace: Workspace, clock: FakeClock) -> None:
    opened = told(workspace, seen(at=clock.now())).opened[0]
    with workspace.writing(MARIA) as uow:
        with pytest.raises(InvalidInput, match="cause: is ''; wanted words"):
            service.close(uow, opened, closed_as=ClosedAs.OTHER)
        with pytest.raises(NotFound):
            service.get(uow, "incident_\0")
    with workspace.writing(READER) as uow, pytest.raises(NotAllowed):
        service.close(uow, opened, closed_as=ClosedAs.FALSE_ALARM)


def test_suspects_are_kept_and_stand_on_the_timeline(workspace: Workspace, clock: FakeClock) -> None:
    opened = told(workspace, seen(endpoint="chat", at=clock.now())).opened[0]
    found = Suspect("release 7", "release", 0.8, ("began 40 s before",), ("errors of other releases rose too",))
    with workspace.writing(MARIA) as uow:
        service.suspect(uow, opened, [found])
        incident = service.get(uow, opened)
    assert incident.suspects == (found,)
    assert "against it: errors of other releases rose too" in incident.timeline[-1].text


def test_the_next_incident_shows_what_the_last_one_was(workspace: Workspace, clock: FakeClock) -> None:
    signal = seen(service="checkout", at=clock.now())
    first = told(workspace, signal).opened[0]
    told(workspace, over(signal))
    with workspace.writing(MARIA) as uow:
        service.close(uow, first, closed_as=ClosedAs.CAUSE, cause="the pool of connections was too small")
    clock.advance(60)
    second = told(workspace, seen(service="checkout", at=clock.now())).opened[0]
    with workspace.reading(READER) as uow:
        (similar,) = service.get(uow, second).similar
    assert (similar.incident, similar.cause, similar.share) == (first, "the pool of connections was too small", 1.0)


def test_a_detector_that_cries_wolf_needs_to_tell_it_twice_until_somebody_forgives_it(
    workspace: Workspace, clock: FakeClock
) -> None:
    signal = seen(service="checkout", at=clock.now())
    for _ in range(3):
        opened = told(workspace, signal).opened[0]
        told(workspace, over(signal))
        with workspace.writing(MARIA) as uow:
            service.close(uow, opened, closed_as=ClosedAs.FALSE_ALARM)
        clock.advance(4_000)
    assert [len(told(workspace, signal).opened) for _ in range(2)] == [0, 1]
    with workspace.writing(MARIA) as uow:
        (detector,) = detectors.listed(uow)
        assert (detector.false_alarms, detector.needs_times) == (3, 2)
        assert detectors.forgive(uow, detector.mark).needs_times == 1
    with workspace.reading(MARIA) as uow:
        said = [each for each in audit.listed(uow) if each.action == "detector.changed"]
    assert len(said) == 2


def test_hostile_text_is_kept_as_text(workspace: Workspace, clock: FakeClock) -> None:
    name = "\0\ud800<script>" + "x" * 100_000
    opened = told(workspace, seen(name, service=name, text=name, at=clock.now(), link="javascript:alert(1)")).opened[0]
    with workspace.reading(READER) as uow:
        (signal,) = service.get(uow, opened).signals
    assert signal.link == ""
    assert len(signal.text) <= 1_000
    assert "\0" not in signal.name


def test_a_clock_that_jumps_loses_nothing(workspace: Workspace, clock: FakeClock) -> None:
    now = clock.now()
    told(workspace, seen(service="checkout", at=now))
    clock.jump_to(now - timedelta(days=30))
    told(workspace, seen("HighLatency", service="checkout", at=clock.now()))
    clock.jump_to(now + timedelta(days=30))
    told(workspace, seen("Saturated", service="checkout", at=clock.now()))
    with workspace.reading(READER) as uow:
        assert sum(each.signal_count for each in service.list_incidents(uow)) == 3


def test_old_incidents_are_let_go_of(workspace: Workspace, clock: FakeClock) -> None:
    opened = told(workspace, seen(at=clock.now())).opened[0]
    with workspace.writing(MARIA) as uow:
        service.close(uow, opened, closed_as=ClosedAs.FALSE_ALARM)
    clock.advance(401 * 86_400)
    with workspace.writing(MARIA) as uow:
        assert service.prune(uow) == 1
        assert service.list_incidents(uow) == []
