"""Repairs of the platform's own: a rollout paused, a drifted model renewed, the vectors of a collection made anew."""

from __future__ import annotations

import pytest

from opsloop.core.audit import service as audit
from opsloop.core.clock import FakeClock
from opsloop.core.errors import Conflict, NotFound
from opsloop.core.workspace import Workspace
from opsloop.incidents import service as incidents
from opsloop.incidents.models import Observed, Subject, Suspect
from opsloop.rag import service as rag
from opsloop.releases import rollouts
from opsloop.releases.models import RolloutStatus
from opsloop.releases.renewals.errors import NoPolicy, RenewalGoesOn
from opsloop.releases.renewals.models import RenewalState
from opsloop.remediation import proposing
from opsloop.remediation.actions import index_rebuild, model_retrain, rollout_pause
from opsloop.remediation.actions.rollout_take_back import RolloutOver
from opsloop.remediation.models import State
from tests.integration.releases.conftest import make_world
from tests.integration.releases.renewals.conftest import signs_of
from tests.integration.remediation import acting

TEXT = b"Every laptop is encrypted. A lost laptop must be reported to the security team within one hour."


def seen(clock: FakeClock, kind: str, **subject: str) -> Observed:
    return Observed("opsloop", kind, kind, "ticket", Subject(**subject), "a moved", clock.now(), key="alarm_1")  # type: ignore[arg-type]


def test_a_rollout_is_paused_and_goes_on_again(
    workspace: Workspace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(workspace, clock)
    rollout = world.open_rollout()
    parameters = {"endpoint": "chat", "rollout": rollout}

    def status() -> RolloutStatus:
        with workspace.reading(acting.OPERATOR) as uow:
            return rollouts.get(uow, rollout).rollout.status

    before = status()
    incident = acting.open_incident(workspace, seen(clock, "alert", endpoint="chat"))
    with acting.only(monkeypatch, acting.Trying("rollout.pause", parameters, "chat")):
        asked = acting.proposed(workspace, incident)
    acting.approved(workspace, asked)
    assert acting.stepped(workspace, asked).state is State.CHECKING
    assert status() is RolloutStatus.PAUSED
    with workspace.reading(acting.OPERATOR) as uow, pytest.raises(Conflict):
        rollout_pause.ACTION.preview(uow, rollout_pause.ACTION.parse(parameters))
    assert acting.undone(workspace, asked).state is State.UNDONE
    assert status() is before
    with workspace.writing(acting.OPERATOR) as uow:
        rollouts.abort(uow, rollout)
    with workspace.reading(acting.OPERATOR) as uow, pytest.raises(RolloutOver):
        rollout_pause.ACTION.preview(uow, rollout_pause.ACTION.parse(parameters))


def test_a_drifted_model_with_a_policy_is_proposed_to_be_renewed(sqlite_workspace: Workspace, clock: FakeClock) -> None:
    workspace, signs = sqlite_workspace, signs_of(sqlite_workspace, clock, on=["schedule"])
    incident = acting.open_incident(workspace, seen(clock, "drift", endpoint="signs"))
    asked = acting.proposed(workspace, incident, "retrain-drifted-model")
    assert asked.preview is not None
    assert asked.preview.sentence.startswith("the model of signs, signs@1, is renewed")
    assert any("no undo" in each for each in asked.why_level)
    acting.approved(workspace, asked)
    done = acting.stepped(workspace, asked)
    assert done.state is State.CHECKING
    begun = signs.renewals()[0]
    assert begun.state is RenewalState.COLLECTING
    assert incident in begun.reason
    action = model_retrain.ACTION
    with workspace.reading(acting.OPERATOR) as uow, pytest.raises(RenewalGoesOn):
        action.preview(uow, action.parse({"endpoint": "signs"}))
    assert proposing.propose(workspace, incident) == []


def test_a_model_without_a_policy_is_not_proposed_to_be_renewed(sqlite_workspace: Workspace, clock: FakeClock) -> None:
    make_world(sqlite_workspace, clock)
    incident = acting.open_incident(sqlite_workspace, seen(clock, "drift", endpoint="chat"))
    assert [each.playbook for each in proposing.propose(sqlite_workspace, incident)] == ["ask-around"]
    action = model_retrain.ACTION
    with sqlite_workspace.reading(acting.OPERATOR) as uow:
        with pytest.raises(NoPolicy):
            action.preview(uow, action.parse({"endpoint": "chat"}))
        with pytest.raises(NotFound):
            action.preview(uow, action.parse({"endpoint": "none"}))


def test_a_suspected_collection_gets_new_vectors(workspace: Workspace, clock: FakeClock) -> None:
    with workspace.writing(acting.OPERATOR) as uow:
        rag.upload(uow, "handbook", "policy.txt", TEXT)
    incident = acting.open_incident(workspace, seen(clock, "alert", service="answers"))
    with workspace.writing(acting.OPERATOR) as uow:
        suspect = Suspect("collection/handbook", "change", 0.8, ("collection.recut 2 min before",))
        incidents.suspect(uow, incident, [suspect])
    asked = acting.proposed(workspace, incident, "rebuild-index")
    assert asked.target == "collection/handbook"
    acting.approved(workspace, asked)
    assert acting.stepped(workspace, asked).state is State.CHECKING
    with workspace.reading(acting.OPERATOR) as uow:
        actions = [each.action for each in audit.listed(uow) if each.target == "collection/handbook"]
        assert "collection.reindexed" in actions
        found = rag.search(uow, "handbook", "lost laptop")
        assert "one hour" in str(found)
        with pytest.raises(NotFound):
            index_rebuild.ACTION.preview(uow, index_rebuild.ACTION.parse({"collection": "none"}))


def test_a_collection_that_changed_after_it_was_shown_is_left(workspace: Workspace, clock: FakeClock) -> None:
    with workspace.writing(acting.OPERATOR) as uow:
        rag.upload(uow, "handbook", "policy.txt", TEXT)
    incident = acting.open_incident(workspace, seen(clock, "alert", service="answers"))
    with workspace.writing(acting.OPERATOR) as uow:
        incidents.suspect(uow, incident, [Suspect("collection/handbook", "change", 0.8)])
    asked = acting.proposed(workspace, incident, "rebuild-index")
    acting.approved(workspace, asked)
    with workspace.writing(acting.OPERATOR) as uow:
        rag.upload(uow, "handbook", "more.txt", b"Hotels may cost 150 euros a night.")
    assert acting.stepped(workspace, asked).state is State.VOID
