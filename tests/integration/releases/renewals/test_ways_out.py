"""How renewals end otherwise: a person, a failed training, a rollout that is taken back; and the first model."""

from __future__ import annotations

import pytest

from opsloop.core.errors import Conflict, InvalidInput
from opsloop.core.events.outbox import deliver_due
from opsloop.core.jobs import service as core_jobs
from opsloop.core.jobs.inline import run_due
from opsloop.core.jobs.models import Job, JobStatus
from opsloop.releases import rollouts, service
from opsloop.releases.renewals import course, jobs
from opsloop.releases.renewals import service as renewals
from opsloop.releases.renewals.errors import NoPolicy, NothingToApprove, RenewalGoesOn, RenewalIsOver
from opsloop.releases.renewals.models import RenewalState
from tests.integration.releases.renewals.conftest import ENDPOINT, KINDS, OPERATOR, POLICY, Make, Signs, rows, shuffled


def challenged(make: Make, **policy: object) -> Signs:
    signs = make(**policy)
    signs.register([*rows(300), *rows(200, seed=4)])
    signs.train(trigger="schedule")
    signs.settle()
    return signs


def test_where_a_person_approves_the_challenger_waits_for_a_yes(make: Make) -> None:
    signs = challenged(make, approve="person")
    found = signs.newest().renewal
    assert (found.state, found.gate, found.rollout) == (RenewalState.AWAITING_APPROVAL, "pass", None)
    with signs.workspace.writing(OPERATOR) as uow:
        assert renewals.approve(uow, found.id).state is RenewalState.ROLLING_OUT
    with pytest.raises(NothingToApprove), signs.workspace.writing(OPERATOR) as uow:
        renewals.approve(uow, found.id)


def test_a_no_needs_a_reason_and_ends_it(make: Make) -> None:
    signs = challenged(make, approve="person")
    found = signs.newest().renewal
    with pytest.raises(InvalidInput), signs.workspace.writing(OPERATOR) as uow:
        renewals.reject(uow, found.id, reason=" ")
    with signs.workspace.writing(OPERATOR) as uow:
        ended = renewals.reject(uow, found.id, reason="not before the audit")
    assert (ended.state, "not before the audit" in ended.said) == (RenewalState.REJECTED, True)
    assert signs.aliases("signs@2") == ()
    with pytest.raises(RenewalIsOver), signs.workspace.writing(OPERATOR) as uow:
        renewals.approve(uow, found.id)


@pytest.mark.parametrize("act", [rollouts.roll_back, rollouts.abort])
def test_a_rollout_that_is_taken_back_rejects_the_challenger(make: Make, act: object) -> None:
    signs = challenged(make)
    rollout = signs.newest().renewal.rollout
    assert rollout is not None
    with signs.workspace.writing(OPERATOR) as uow:
        act(uow, rollout)  # type: ignore[operator]  # one of two functions
    signs.settle()
    found = signs.newest().renewal
    assert (found.state, "its rollout was" in found.said) == (RenewalState.REJECTED, True)
    assert signs.aliases("signs@2") == ()


def test_a_training_that_fails_ends_it_with_the_reason(make: Make) -> None:
    signs = make()
    signs.register([{"a": 1, "b": 2, "other": "x"}])
    signs.alarm()
    signs.settle()
    found = signs.newest().renewal
    assert (found.state, "the training made no model" in found.said) == (RenewalState.REJECTED, True)


@pytest.mark.parametrize(
    ("waits_for", "state", "said"),
    [
        ("renewal.work", RenewalState.COLLECTING, "its job was cancelled by test:operator while collecting"),
        ("training.run", RenewalState.TRAINING, "the training made no model: cancelled by test:operator"),
        ("evaluation.run", RenewalState.EVALUATING, "the evaluation of signs@2 failed: cancelled by test:operator"),
    ],
)
def test_whoever_cancels_the_job_that_it_waits_for_ends_it(
    make: Make, waits_for: str, state: RenewalState, said: str
) -> None:
    signs = make()
    signs.register([*rows(300), *rows(200, seed=4)])
    signs.alarm()
    before = KINDS[: KINDS.index(waits_for)]
    while deliver_due(signs.workspace) + sum(run_due(signs.workspace, kind=kind) for kind in before):
        pass
    assert signs.newest().renewal.state is state
    *_, waiting = (each for each in pending(signs) if each.kind == waits_for)
    with signs.workspace.writing(OPERATOR) as uow:
        core_jobs.cancel(uow, waiting.id)
    signs.settle()
    found = signs.newest().renewal
    assert (found.state, found.said) == (RenewalState.REJECTED, said)


def pending(signs: Signs) -> list[Job]:
    with signs.workspace.reading(OPERATOR) as uow:
        return [each for each in core_jobs.listed(uow) if each.status is JobStatus.PENDING]


def test_a_pipeline_that_is_not_there_ends_it_with_the_reason(make: Make) -> None:
    signs = make(pipeline="nothing")
    signs.alarm()
    signs.settle()
    found = signs.newest().renewal
    assert (found.state, "no pipeline named" in found.said) == (RenewalState.REJECTED, True)


def test_it_waits_for_the_end_of_somebody_elses_rollout(make: Make) -> None:
    signs = make()
    signs.register([*rows(300), *rows(200, seed=4)])
    signs.train(trigger="demand")
    with signs.workspace.writing(OPERATOR) as uow:
        other = service.create_release(uow, ENDPOINT, model="signs@2", config={"renewal": POLICY}).rollout
    signs.register([*rows(300), *rows(250, seed=6)])
    signs.train(trigger="schedule")
    signs.settle()
    found = signs.newest().renewal
    assert (found.state, "waits for the end of another rollout" in found.said) == (RenewalState.JUDGING, True)
    with signs.workspace.writing(OPERATOR) as uow:
        rollouts.roll_back(uow, other.id)
    signs.later(minutes=1)
    signs.settle()
    assert signs.newest().renewal.state is RenewalState.ROLLING_OUT


def test_a_person_starts_one_and_a_second_is_told_that_one_goes_on(make: Make) -> None:
    signs = make()
    signs.register([*rows(300), *rows(200, seed=4)])
    with signs.workspace.writing(OPERATOR) as uow:
        renewals.start(uow, ENDPOINT, reason="the new rows are in")
    with pytest.raises(RenewalGoesOn), signs.workspace.writing(OPERATOR) as uow:
        renewals.start(uow, ENDPOINT)
    signs.settle()
    found = signs.newest().renewal
    assert (found.cause, found.reason, found.state) == ("demand", "the new rows are in", RenewalState.ROLLING_OUT)


def test_without_a_policy_nothing_says_how_to_renew(make: Make) -> None:
    signs = make()
    signs.create("bare")
    with signs.workspace.writing(OPERATOR) as uow:
        service.create_release(uow, "bare", model="signs@1")
    with pytest.raises(NoPolicy), signs.workspace.writing(OPERATOR) as uow:
        renewals.start(uow, "bare")


def test_a_first_model_is_released_once_it_is_better_than_a_constant(make: Make) -> None:
    signs = make()
    signs.create("second")
    with signs.workspace.writing(OPERATOR) as uow:
        renewals.start(uow, "second", config={"renewal": POLICY, "note": "first"}, model="signs@1")
    signs.settle()
    found = signs.newest().renewal
    assert (found.state, found.champion, found.gate) == (RenewalState.PROMOTED, None, "pass")
    with signs.workspace.reading(OPERATOR) as uow:
        stable = service.endpoint(uow, "second").stable
    assert stable is not None
    assert stable.config["note"] == "first"


def test_a_first_model_that_knows_nothing_is_not_released(make: Make) -> None:
    signs = make()
    signs.register(shuffled(rows(400, seed=4)))
    signs.create("second")
    with signs.workspace.writing(OPERATOR) as uow:
        renewals.start(uow, "second", config={"renewal": POLICY})
    signs.settle()
    assert signs.newest().renewal.state is RenewalState.REJECTED


def test_every_step_may_be_repeated(make: Make) -> None:
    """As after a crash between the work and the note that it is done: jobs begin again."""
    signs = make()
    signs.register([*rows(300), *rows(200, seed=4)])
    with signs.workspace.writing(OPERATOR) as uow:
        renewal = renewals.start(uow, ENDPOINT).id
    for _ in range(40):
        piece = jobs.PIECES.get(signs.newest().renewal.state)
        for _again in range(2):  # the second time the renewal is in another state, and is left alone
            if piece is not None:
                piece(signs.workspace, renewal)
        deliver_due(signs.workspace)
        run_due(signs.workspace, kind="training.run")
        run_due(signs.workspace, kind="evaluation.run")
    found = signs.newest()
    kinds = [event.kind for event in found.events]
    assert found.renewal.state is RenewalState.ROLLING_OUT
    assert len(kinds) == len(set(kinds))
    with signs.workspace.reading(OPERATOR) as uow:
        assert len(service.releases(uow, ENDPOINT)) == 2


def test_a_policy_that_is_wrong_is_refused_with_the_release(make: Make) -> None:
    signs = make()
    with pytest.raises(InvalidInput) as raised, signs.workspace.writing(OPERATOR) as uow:
        service.create_release(uow, ENDPOINT, model="signs@1", config={"renewal": {"pipelin": "signs"}})
    assert raised.value.sentence == "config.renewal.pipelin is not known; did you mean pipeline?"
    with pytest.raises(InvalidInput, match=r"config\.drift"), signs.workspace.writing(OPERATOR) as uow:
        service.create_release(uow, ENDPOINT, model="signs@1", config={"drift": {"blok": "row"}})
    assert not isinstance(raised.value, Conflict)


def test_a_renewal_is_one_of_its_endpoint_whatever_comes_at_once(make: Make) -> None:
    signs = challenged(make)
    with signs.workspace.reading(OPERATOR) as uow:
        assert course.active(uow, ENDPOINT) is not None
    assert len(signs.renewals()) == 1


def test_an_endpoint_whose_first_version_was_refused_gets_the_next_one_that_passes(make: Make) -> None:
    signs = make(pipeline="")
    signs.create("second")
    signs.register(shuffled(rows(300)), "mixed")
    signs.train(dataset="mixed")
    with signs.workspace.writing(OPERATOR) as uow:
        renewals.start(uow, "second", model="signs@2", config={"renewal": POLICY})
    signs.settle()
    assert signs.newest().renewal.state is RenewalState.REJECTED
    signs.later(hours=8)
    signs.register([*rows(300), *rows(200, seed=4)])
    signs.train(trigger="schedule")
    signs.settle()
    found = signs.newest().renewal
    assert (found.endpoint, found.champion, found.challenger) == ("second", None, "signs@3")
    assert found.state is RenewalState.PROMOTED
