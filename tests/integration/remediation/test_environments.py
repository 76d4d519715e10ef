"""Autonomy in production is earned outside of it first; nobody is left out by a standing that is no more."""

from __future__ import annotations

import pytest

from opsloop.core.audit import service as audit
from opsloop.core.caller import Caller, NotAllowed, Role
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.workspace import Workspace
from opsloop.releases import environments
from opsloop.releases import service as releases
from opsloop.releases.models import Environment
from opsloop.remediation import autonomy, proposing
from opsloop.remediation.environment import environment_of
from opsloop.remediation.models import Level, Standing, State
from opsloop.remediation.playbooks.playbook import Fit
from opsloop.remediation.playbooks.registry import playbook_of
from tests.integration.remediation.conftest import OPERATOR, VIEWER, Trouble, settle

PLAYBOOK = "roll-back-release"
DEVELOPER = Caller("key:dev", Role.DEVELOPER)
LACKS = "more verified successes in a row outside of production, on endpoints that declare environment: staging"


def declared(trouble: Trouble, environment: Environment | None) -> None:
    with trouble.workspace.writing(OPERATOR) as uow:
        releases.set_environment(uow, "chat", environment)


def standing(workspace: Workspace, environment: str) -> Standing:
    with workspace.reading(VIEWER) as uow:
        return autonomy.standing(uow, playbook_of(workspace, PLAYBOOK), environment)


def recorded(trouble: Trouble, environment: str, state: State, count: int) -> None:
    """A record as repairs leave it whose undo was seen to work."""
    trouble.clock.advance(1)
    found = proposing.Candidate(playbook_of(trouble.workspace, PLAYBOOK), Fit("endpoint/chat", (), (), ()))
    with trouble.workspace.writing(OPERATOR) as uow:
        for _ in range(count):
            row = proposing.new_row(uow, found, incident=None)
            row.environment, row.state, row.finished_at = environment, state.value, uow.clock.now()
            row.undo_works = True
            uow.session.add(row)


def test_production_is_not_left_to_a_playbook_that_helped_nowhere_else(trouble: Trouble) -> None:
    settle(trouble.workspace, remediation_levels={"*": 5})
    recorded(trouble, "production", State.HELPED, 20)
    found = standing(trouble.workspace, "production")
    assert (found.level, found.is_production, found.outside) == (Level.SCRIPT, True, 0)
    assert [each for each in found.missing if each.startswith(f"3 {LACKS}")] == list(found.missing)
    recorded(trouble, "staging", State.HELPED, 2)
    recorded(trouble, "test", State.HELPED, 1)
    found = standing(trouble.workspace, "production")
    assert (found.level, found.missing, found.outside) == (Level.EXECUTION, (), 3)
    recorded(trouble, "staging", State.UNDONE, 1)
    found = standing(trouble.workspace, "production")
    assert (found.level, found.outside) == (Level.SCRIPT, 0)


def test_outside_of_production_nothing_is_asked_of_elsewhere(trouble: Trouble) -> None:
    settle(trouble.workspace, remediation_levels={"*": 5})
    recorded(trouble, "staging", State.HELPED, 20)
    found = standing(trouble.workspace, "staging")
    assert (found.level, found.is_production) == (Level.EXECUTION, False)
    assert standing(trouble.workspace, "production").level is Level.SCRIPT  # its own record is empty


def test_what_is_not_known_is_held_as_production(trouble: Trouble) -> None:
    settle(trouble.workspace, remediation_levels={"*": 5})
    recorded(trouble, "default", State.HELPED, 20)
    found = standing(trouble.workspace, "default")
    assert (found.level, found.is_production) == (Level.SCRIPT, True)
    assert found.missing[0].startswith(f"3 {LACKS}")


def test_a_team_that_has_nothing_but_production_may_say_so(trouble: Trouble) -> None:
    settle(trouble.workspace, remediation_levels={"*": 5}, remediation_successes_outside=0)
    recorded(trouble, "default", State.HELPED, 20)
    assert standing(trouble.workspace, "default").level is Level.EXECUTION


def test_a_repair_is_of_the_environment_of_the_endpoint_that_its_action_changes(trouble: Trouble) -> None:
    trouble.begin()
    declared(trouble, "staging")
    assert trouble.proposed().environment == "staging"
    with trouble.workspace.reading(VIEWER) as uow:
        assert environment_of(uow, {"endpoint": "chat"}) == "staging"
        # What changes something else is not of staging because its incident is.
        assert environment_of(uow, {"command": "restart", "values": {"unit": "chat"}}) == "default"
        for unknown in ("none-such", "\0", "", 7, None):
            assert environment_of(uow, {"endpoint": unknown}) == "default"
        shown = [(each.playbook, each.environment) for each in autonomy.standings(uow)]
    assert [each for each in shown if each[0] == PLAYBOOK] == [(PLAYBOOK, "default"), (PLAYBOOK, "staging")]
    assert [each for each in shown if each[0] == "rebuild-index"] == [("rebuild-index", "default")]


def test_who_declares_an_environment_is_on_the_record(trouble: Trouble) -> None:
    declared(trouble, "staging")
    declared(trouble, "staging")
    declared(trouble, None)
    with trouble.workspace.reading(VIEWER) as uow:
        said = [each.detail for each in audit.listed(uow) if each.action == "endpoint.environment"]
    assert said == [{"environment": None, "before": "staging"}, {"environment": "staging", "before": None}]
    with pytest.raises(NotAllowed), trouble.workspace.writing(DEVELOPER) as uow:
        releases.set_environment(uow, "chat", "staging")
    with pytest.raises(NotFound), trouble.workspace.writing(OPERATOR) as uow:
        releases.set_environment(uow, "none-such", "staging")
    with pytest.raises(InvalidInput, match="environment: is 'prod'; wanted one of production, staging, test"):
        environments.parse("prod")


@pytest.mark.parametrize("after", ["failed", "production", "policy"])
def test_nothing_acts_by_itself_that_may_not_any_more_when_its_turn_comes(trouble: Trouble, after: str) -> None:
    settle(trouble.workspace, remediation_levels={"*": 5})
    declared(trouble, "staging")
    recorded(trouble, "staging", State.HELPED, 20)
    trouble.begin()
    asked = trouble.proposed()
    assert (asked.level, asked.state) == (Level.EXECUTION, State.APPROVED)
    if after == "failed":
        recorded(trouble, "staging", State.NOT_HELPED, 1)
    elif after == "production":
        declared(trouble, "production")
    else:
        settle(trouble.workspace, remediation_levels={"*": 4})
    found = trouble.step(asked)
    assert found.state is State.VOID
    assert found.outcome.startswith("it may not act by itself any more: ")
    assert trouble.serves() == 2


def test_what_may_act_by_itself_still_does(trouble: Trouble) -> None:
    settle(trouble.workspace, remediation_levels={"*": 5})
    declared(trouble, "staging")
    recorded(trouble, "staging", State.HELPED, 20)
    trouble.begin()
    asked = trouble.proposed()
    assert trouble.step(asked).state is State.CHECKING
    assert trouble.serves() == 1
