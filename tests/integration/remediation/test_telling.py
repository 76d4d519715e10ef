"""Who is told of a repair: alerts that the rules of every installation raise, and that are no signals themselves."""

from __future__ import annotations

from opsloop.core.events.outbox import deliver_due
from opsloop.incidents import service as incidents
from opsloop.monitoring.alerts import service as alerts
from opsloop.monitoring.alerts.models import Alert, AlertState
from opsloop.remediation import service
from opsloop.remediation.events import RemediationActed, RemediationEnded
from opsloop.remediation.models import State
from opsloop.server import background
from tests.integration.remediation.conftest import OPERATOR, SECOND, VIEWER, Trouble

assert background  # loads every part, and listens to their events


def of_repairs(trouble: Trouble, *events: object) -> dict[str, Alert]:
    """The newest alert of each rule about repairs."""
    with trouble.workspace.writing(OPERATOR) as uow:
        for event in events:
            uow.emit(event)
    while deliver_due(trouble.workspace):
        pass
    with trouble.workspace.reading(VIEWER) as uow:
        found = alerts.listed(uow)
    return {each.rule: each for each in reversed(found) if each.rule.startswith("repair-")}


def test_a_repair_that_waits_is_told_until_it_is_decided(trouble: Trouble) -> None:
    trouble.begin()
    asked = trouble.proposed()
    told = of_repairs(trouble)
    assert list(told) == ["repair-waits"]
    found = told["repair-waits"]
    assert (found.state, found.endpoint, found.severity) == (AlertState.FIRING, "chat", "ticket")
    assert "release 1 of chat serves everybody again" in found.summary
    with trouble.workspace.writing(SECOND) as uow:
        service.reject(uow, asked.id, reason="a test of ours")
    assert of_repairs(trouble)["repair-waits"].state is AlertState.RESOLVED


def test_asked_again_it_is_told_again(trouble: Trouble) -> None:
    trouble.begin()
    asked = trouble.proposed()
    of_repairs(trouble)
    with trouble.workspace.writing(SECOND) as uow:
        service.void(uow, trouble.incident, "it is tried again")
    assert of_repairs(trouble)["repair-waits"].state is AlertState.RESOLVED
    service.renew(trouble.workspace, OPERATOR, asked.id)
    assert of_repairs(trouble)["repair-waits"].state is AlertState.FIRING


def test_what_acted_alone_was_undone_or_has_an_unknown_end_is_told(trouble: Trouble) -> None:
    def ended(state: State) -> RemediationEnded:
        return RemediationEnded(f"remediation_{state.value}", "", "restart", "chat", state.value, "look at the target")

    alone = RemediationActed("remediation_1", "", "restart", "chat", by_itself=True, sentence="restarted")
    asked = RemediationActed("remediation_2", "", "restart", "chat", by_itself=False, sentence="restarted")
    quiet = [ended(each) for each in (State.HELPED, State.REJECTED, State.VOID, State.REHEARSED)]
    told = of_repairs(trouble, alone, asked, ended(State.UNDONE), ended(State.UNKNOWN), *quiet)
    severities = {each.rule: each.severity for each in told.values()}
    assert severities == {"repair-by-itself": "info", "repair-undone": "ticket", "repair-unknown": "page"}
    assert told["repair-by-itself"].labels == {"remediation": "remediation_1"}


def test_an_alert_about_a_repair_is_no_signal_of_an_incident(trouble: Trouble) -> None:
    trouble.begin()
    trouble.proposed()
    of_repairs(trouble)
    with trouble.workspace.reading(VIEWER) as uow:
        names = [
            signal.name for each in incidents.list_incidents(uow) for signal in incidents.get(uow, each.id).signals
        ]
    assert names
    assert not any(each.startswith("repair-") for each in names)
