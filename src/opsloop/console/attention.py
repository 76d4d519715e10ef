"""What needs somebody: rollouts under way or stopped by themselves, gates that were not met, jobs that failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsloop.console import words
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.models import JobStatus
from opsloop.core.work import UnitOfWork
from opsloop.releases.models import EndpointState, RolloutStatus

RECENT_S = 86_400
MOST = 12
LATEST_JOBS = 200


@dataclass(frozen=True, slots=True)
class Need:
    """One thing: its state, a sentence, and the page where something can be done about it."""

    state: str
    noun: str
    sentence: str
    href: str
    at: datetime


def needs(uow: UnitOfWork, states: Sequence[EndpointState]) -> tuple[Need, ...]:
    """The newest first, `MOST` at most; what is over counts for a day."""
    since = uow.clock.now() - timedelta(seconds=RECENT_S)
    found = [*_rollouts(states, since), *_failed_jobs(uow, since)]
    return tuple(sorted(found, key=lambda need: need.at, reverse=True)[:MOST])


def _rollouts(states: Sequence[EndpointState], since: datetime) -> Iterator[Need]:
    for state in states:
        rollout = state.rollout
        if rollout is None:
            continue
        at = rollout.finished_at or rollout.started_at
        is_stopped = rollout.status is RolloutStatus.ROLLED_BACK and at >= since
        if is_stopped or not rollout.status.is_over:
            told = f"{state.endpoint.name}: release {rollout.number}"
            reason = rollout.reason or "waits for its analysis to begin"
            yield Need(rollout.status.value, "rollout", f"{told}: {reason}", _rollout_page(rollout.id), at)


def _failed_jobs(uow: UnitOfWork, since: datetime) -> Iterator[Need]:
    for job in jobs.listed(uow, limit=LATEST_JOBS):
        at = job.finished_at or job.created_at
        if job.status is JobStatus.FAILED and at >= since:
            sentence = f"{job.kind}: {job.error or 'it failed without a word'}"
            yield Need(job.status.value, "job", sentence, f"/jobs/{words.segment(job.id)}", at)


def _rollout_page(rollout: str) -> str:
    return f"/rollouts/{words.segment(rollout)}"
