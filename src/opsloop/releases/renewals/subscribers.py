"""What sets a renewal off and moves it on: alarms, trainings, evaluations, rollouts.

Each handler runs in the transaction that notes its event as handled, and leaves alone what is not in the state that it
expects; so a crash at any point repeats a step or none, and none is done twice.
"""

from __future__ import annotations

from sqlalchemy import or_, select

from opsloop.core.events.outbox import subscriber
from opsloop.core.jobs.events import JobCancelled
from opsloop.core.workspace import UnitOfWork
from opsloop.evaluation import service as evaluations
from opsloop.evaluation.events import EvaluationFinished
from opsloop.evaluation.models import RunStatus
from opsloop.monitoring.drift.events import DriftDetected
from opsloop.releases import renewal_policy, rollouts
from opsloop.releases import service as releases
from opsloop.releases.events import RolloutAborted, RolloutPromoted, RolloutRolledBack
from opsloop.releases.renewal_policy import Cause
from opsloop.releases.renewals import course, drifted, service
from opsloop.releases.renewals._tables import RenewalRow
from opsloop.releases.renewals.course import Renewed
from opsloop.releases.renewals.models import RenewalState
from opsloop.releases.renewals.releasing import note_promoted
from opsloop.training.events import TrainingFailed, TrainingFinished, TrainingSkipped

NAME = "renewals"


@subscriber(DriftDetected, NAME)
def on_drift(uow: UnitOfWork, event: DriftDetected) -> None:
    drifted.heard(uow, event.alarm, endpoint=event.endpoint, release=event.release, sentence=event.sentence)


@subscriber(TrainingFinished, NAME)
def on_trained(uow: UnitOfWork, event: TrainingFinished) -> None:
    """The challenger of a renewal is there; a training that nobody asked for begins one where the policy says so."""
    challenger = f"{event.model}@{event.version}"
    row = _of_training(uow, event.run)
    if row is not None:
        if row.state == RenewalState.TRAINING:
            row.challenger = challenger
            _prepare(uow, row, event.run)
        return
    if event.trigger not in list(Cause):
        return
    for renewed in _renewed_by(uow, event.pipeline, event.endpoint):
        _challenged(uow, renewed, Cause(event.trigger), challenger, event.run)


@subscriber(TrainingFailed, NAME)
def on_training_failed(uow: UnitOfWork, event: TrainingFailed) -> None:
    row = _of_training(uow, event.run)
    if row is not None and row.state == RenewalState.TRAINING:
        why = f"the training made no model: {event.reason}"
        course.end(uow, row, RenewalState.REJECTED, why, "training_run", event.run)


@subscriber(TrainingSkipped, NAME)
def on_training_skipped(uow: UnitOfWork, event: TrainingSkipped) -> None:
    row = _of_training(uow, event.run)
    if row is not None and row.state == RenewalState.TRAINING:
        why = f"there is nothing new to learn: {event.reason}"
        course.end(uow, row, RenewalState.SKIPPED, why, "training_run", event.run)


@subscriber(EvaluationFinished, NAME)
def on_evaluated(uow: UnitOfWork, event: EvaluationFinished) -> None:
    """Once both models answered the same rows, they are judged."""
    query = select(RenewalRow.id).where(
        or_(RenewalRow.champion_run == event.run, RenewalRow.challenger_run == event.run),
        RenewalRow.active.is_not(None),
    )
    found = uow.session.scalar(query)
    row = course.locked(uow, found) if found is not None else None
    if row is None or row.state != RenewalState.EVALUATING:
        return
    runs = [evaluations.get(uow, each) for each in (row.challenger_run, row.champion_run) if each is not None]
    failed = next((each for each in runs if each.status is RunStatus.FAILED), None)
    if failed is not None:
        why = f"the evaluation of {failed.flow.partition(':')[2]} failed: {failed.error}"
        course.end(uow, row, RenewalState.REJECTED, why, "evaluation", failed.id)
    elif all(each.status is RunStatus.DONE for each in runs):
        who = "both" if len(runs) > 1 else row.challenger
        course.move(uow, row, RenewalState.JUDGING, f"{who} answered {runs[0].rows:,} rows", "evaluation", runs[0].id)
        course.work(uow, row)


@subscriber(JobCancelled, NAME)
def on_work_cancelled(uow: UnitOfWork, event: JobCancelled) -> None:
    """Nobody would go on with a renewal whose next piece was cancelled."""
    if event.kind != course.WORK:
        return
    row = course.locked(uow, event.payload["renewal"])
    if row.active is not None and event.job == course.job_of(row):
        course.end(uow, row, RenewalState.REJECTED, f"its job was cancelled by {event.by} while {row.state}")


@subscriber(RolloutPromoted, NAME)
def on_promoted(uow: UnitOfWork, event: RolloutPromoted) -> None:
    row = _of_rollout(uow, event.rollout)
    if row is not None:
        note_promoted(uow, row, event.reason)


@subscriber(RolloutRolledBack, NAME)
def on_rolled_back(uow: UnitOfWork, event: RolloutRolledBack) -> None:
    _taken_back(uow, event.rollout, f"its rollout was taken back: {event.reason}")


@subscriber(RolloutAborted, NAME)
def on_aborted(uow: UnitOfWork, event: RolloutAborted) -> None:
    _taken_back(uow, event.rollout, f"its rollout was given up: {event.reason}")


def _taken_back(uow: UnitOfWork, rollout: str, why: str) -> None:
    row = _of_rollout(uow, rollout)
    if row is not None:
        course.end(uow, row, RenewalState.REJECTED, why, "rollout", rollout)


def _prepare(uow: UnitOfWork, row: RenewalRow, training_run: str) -> None:
    sentence = f"{row.challenger} challenges {row.champion}" if row.champion else f"{row.challenger} is the first one"
    course.move(uow, row, RenewalState.PREPARING, sentence, "training_run", training_run)
    course.work(uow, row)


def _challenged(uow: UnitOfWork, renewed: Renewed, cause: Cause, challenger: str, training_run: str) -> None:
    rollouts.lock_endpoint(uow, renewed.endpoint)
    policy = renewal_policy.parse(renewed.policy)
    if cause not in policy.on or renewed.champion == challenger:
        return
    reason = f"{challenger} was trained ({cause.value})"
    present = course.active(uow, renewed.endpoint)
    why = f"renewal {present.id} goes on" if present is not None else service.why_not_now(uow, renewed.endpoint, policy)
    if why is not None:
        course.skip(uow, renewed, cause=cause, reason=reason, alarms=[], why=why)
        return
    row = course.begin(uow, renewed, cause=cause, reason=reason, state=RenewalState.TRAINING)
    row.training_run, row.challenger = training_run, challenger
    _prepare(uow, row, training_run)


def _renewed_by(uow: UnitOfWork, pipeline: str, endpoint: str | None) -> list[Renewed]:
    """What a pipeline renews, and what waits for a first version by it."""
    found = []
    for state in releases.endpoints(uow):
        name = state.endpoint.name
        if endpoint is not None and name != endpoint:
            continue
        served = service.renewed_release(uow, name)
        renewed = Renewed.of(served) if served is not None else None
        if state.stable is None:
            renewed = service.first_wanted(uow, name)
        if renewed is not None and renewal_policy.parse(renewed.policy).pipeline == pipeline:
            found.append(renewed)
    return found


def _of_training(uow: UnitOfWork, run: str) -> RenewalRow | None:
    found = uow.session.scalar(select(RenewalRow.id).where(RenewalRow.training_run == run))
    return course.locked(uow, found) if found is not None else None


def _of_rollout(uow: UnitOfWork, rollout: str) -> RenewalRow | None:
    """The renewal whose challenger a rollout brought to traffic, while it is under way."""
    found = uow.session.scalar(select(RenewalRow.id).where(RenewalRow.rollout == rollout))
    row = course.locked(uow, found) if found is not None else None
    return row if row is not None and row.state == RenewalState.ROLLING_OUT else None
