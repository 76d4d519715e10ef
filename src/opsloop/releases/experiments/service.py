"""The report of an A/B test, made of what its driver has stored."""

from __future__ import annotations

from typing import Any

import msgspec

from opsloop.core.caller import Role
from opsloop.core.workspace import UnitOfWork
from opsloop.releases import rollouts
from opsloop.releases._tables import RolloutRow
from opsloop.releases.errors import NoExperiment
from opsloop.releases.experiments import reading
from opsloop.releases.experiments.models import ExperimentReport, MetricReport, Outcome, UserCounts
from opsloop.releases.experiments.watch import ExperimentWatch
from opsloop.releases.models import RolloutStatus
from opsloop.releases.plan import ExperimentPlan, from_stored


def report(uow: UnitOfWork, rollout: str) -> ExperimentReport:
    """Raises: NotFound, NoExperiment."""
    uow.by.require(Role.VIEWER)
    row = rollouts.found(uow, rollout)
    plan = from_stored(row.plan)
    if plan.experiment is None:
        raise NoExperiment(rollout=rollout, strategy=row.strategy)
    stored = row.evidence.get("experiment") or _empty(plan.experiment, plan.steps[0].share)
    users = msgspec.convert(stored["users"], UserCounts)
    metrics = msgspec.convert(stored["metrics"], tuple[MetricReport, ...])
    found = reading.outcome(users, metrics)
    return ExperimentReport(
        rollout=row.id,
        endpoint=row.endpoint,
        release=row.release,
        number=row.number,
        stable_number=row.stable_number,
        status=row.status,
        reason=row.reason,
        started_at=row.started_at,
        finished_at=row.finished_at,
        watched_s=round(row.watched_s, 1),
        duration_s=plan.experiment.duration_s,
        planned_users=plan.experiment.subjects,
        alpha=plan.experiment.alpha,
        is_over=RolloutStatus(row.status).is_over or is_over(plan.experiment, row.watched_s, users),
        users=users,
        metrics=metrics,
        outcome=found,
        sentence=reading.sentence(row.number, row.stable_number, users, metrics, plan.experiment.alpha),
        next=_next(row, plan.experiment, found),
    )


def is_over(plan: ExperimentPlan, watched_s: float, users: UserCounts) -> bool:
    """Whether the planned time has passed, or the planned users have come."""
    return watched_s >= plan.duration_s or 0 < plan.subjects <= users.candidate + users.stable


def _empty(plan: ExperimentPlan, share: float) -> dict[str, Any]:
    return ExperimentWatch(plan, share=share).figures()


def _next(row: RolloutRow, plan: ExperimentPlan, found: Outcome) -> str:
    """What happens at the end, as the result stands now."""
    if RolloutStatus(row.status).is_over:
        return f"it is over: {row.reason}"
    if found is Outcome.LOST:
        return "at the end the candidate is taken back"
    if found is Outcome.WON and plan.on_win == "promote":
        return "at the end the candidate takes over"
    if found is Outcome.WON or plan.otherwise == "hold":
        return "at the end it is held until a person promotes the candidate or takes it back"
    return "at the end the candidate is given up, and everybody is served by stable"
