"""The course of a renewal: every change of its state is told in its history and put on record with what led to it.

An endpoint's row is locked before a renewal of it begins or changes, as rollouts do, so that two changes follow each
other; whoever finds the renewal in another state than it expects leaves it alone, which makes every step safe to
repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from opsloop.core.caller import system
from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import UnitOfWork
from opsloop.releases import champions, rollouts
from opsloop.releases.models import Release
from opsloop.releases.renewal_policy import KEY, Cause, Policy, parse
from opsloop.releases.renewals._tables import RenewalEventRow, RenewalRow
from opsloop.releases.renewals.errors import RenewalMissing
from opsloop.releases.renewals.events import RenewalEnded, RenewalStarted
from opsloop.releases.renewals.models import Renewal, RenewalEvent, RenewalId, RenewalState

BELL = "renewals"
BY = system("renewals")
WORK = "renewal.work"
"""The kind of job that does what takes long: gathering rows, choosing those to judge by, judging."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """What is renewed: the endpoint, what it serves, and its policy as it is declared.

    `champion` is None while it serves nothing; `config` is that of the new release, None for that of the present one.
    """

    endpoint: str
    policy: dict[str, Any]
    champion: str | None = None
    config: dict[str, Any] | None = None

    @classmethod
    def of(cls, release: Release) -> Renewed:
        return cls(release.endpoint, release.config[KEY], release.serves)


def begin(
    uow: UnitOfWork,
    renewed: Renewed,
    *,
    cause: Cause,
    reason: str,
    state: RenewalState = RenewalState.COLLECTING,
    alarms: Sequence[str] = (),
) -> RenewalRow:
    """A renewal of what an endpoint serves; the caller holds the endpoint's row and has seen that none goes on."""
    row = _row(uow, renewed, cause=cause, reason=reason, state=state, alarms=alarms)
    row.active = renewed.endpoint
    uow.session.add(row)
    uow.session.flush()
    tell(uow, row, "started", f"{reason}; {renewed.champion or 'nothing'} serves", *_first(alarms))
    uow.audit("renewal.started", _target(row), **chain(row), cause=cause.value, reason=reason)
    uow.emit(RenewalStarted(row.id, row.endpoint, cause.value, reason))
    return row


def skip(
    uow: UnitOfWork, renewed: Renewed, *, cause: Cause, reason: str, alarms: Sequence[str], why: str
) -> RenewalRow:
    """Keep on record that no renewal was begun, and why."""
    row = _row(uow, renewed, cause=cause, reason=reason, state=RenewalState.SKIPPED, alarms=alarms)
    row.said, row.finished_at = why, uow.clock.now()
    uow.session.add(row)
    uow.session.flush()
    tell(uow, row, "skipped", f"{reason}, but {why}", *_first(alarms))
    uow.audit("renewal.skipped", _target(row), **chain(row), cause=cause.value, reason=why)
    uow.emit(RenewalEnded(row.id, row.endpoint, RenewalState.SKIPPED.value, None, why))
    return row


def move(
    uow: UnitOfWork, row: RenewalRow, state: RenewalState, sentence: str, noun: str = "", target: str = ""
) -> None:
    """Go on to the next state."""
    row.state, row.said = state, sentence
    tell(uow, row, state.value, sentence, noun, target)
    uow.audit(f"renewal.{state.value}", _target(row), **chain(row), reason=sentence)


def end(uow: UnitOfWork, row: RenewalRow, state: RenewalState, why: str, noun: str = "", target: str = "") -> None:
    """A renewal is over. A challenger that was refused challenges nobody any more."""
    row.active, row.finished_at = None, uow.clock.now()
    move(uow, row, state, why, noun, target)
    if state is not RenewalState.PROMOTED and row.challenger is not None:
        champions.dismiss(uow, row.challenger)
    uow.emit(RenewalEnded(row.id, row.endpoint, state.value, row.challenger, why))


def work(uow: UnitOfWork, row: RenewalRow, *, after_s: float = 0.0) -> None:
    """Ask for the job that does the next piece; it looks for itself what that is."""
    row.looks += 1
    run_after = uow.clock.now() + timedelta(seconds=after_s) if after_s else None
    jobs.enqueue(uow, WORK, {"renewal": row.id}, id=job_of(row), run_after=run_after)


def job_of(row: RenewalRow) -> str:
    """The id of the job that does the present piece."""
    return f"job_{row.id}_{row.looks}"


def tell(uow: UnitOfWork, row: RenewalRow, kind: str, sentence: str, noun: str = "", target: str = "") -> None:
    uow.session.add(
        RenewalEventRow(
            renewal=row.id,
            at=uow.clock.now(),
            kind=kind,
            sentence=sentence,
            by=uow.by.name,
            noun=noun,
            target=target,
        )
    )
    uow.ring(BELL)


def chain(row: RenewalRow) -> dict[str, Any]:
    """What led to what, as far as the renewal came: for the record."""
    links = {
        "renewal": row.id,
        "alarms": list(row.alarms),
        "training_run": row.training_run,
        "champion": row.champion,
        "challenger": row.challenger,
        "champion_run": row.champion_run,
        "challenger_run": row.challenger_run,
        "gate": row.gate,
        "release": row.release,
        "rollout": row.rollout,
    }
    return {name: value for name, value in links.items() if value}


def policy_of(row: RenewalRow) -> Policy:
    return parse(row.policy)


def found(uow: UnitOfWork, renewal: str) -> RenewalRow:
    """Raises: RenewalMissing."""
    row = uow.session.get(RenewalRow, renewal) if "\0" not in renewal else None
    if row is None:
        raise RenewalMissing(noun="renewal", name=renewal)
    return row


def locked(uow: UnitOfWork, renewal: str) -> RenewalRow:
    """A renewal as of now, while nobody else can change its endpoint. Raises: RenewalMissing."""
    row = found(uow, renewal)
    rollouts.lock_endpoint(uow, row.endpoint)
    uow.session.refresh(row)
    return row


def active(uow: UnitOfWork, endpoint: str) -> RenewalRow | None:
    query = select(RenewalRow).where(RenewalRow.active == endpoint).execution_options(populate_existing=True)
    return uow.session.scalar(query)


def as_renewal(row: RenewalRow) -> Renewal:
    return Renewal(
        id=RenewalId(row.id),
        endpoint=row.endpoint,
        cause=Cause(row.cause),
        reason=row.reason,
        alarms=tuple(row.alarms),
        policy=row.policy,
        state=RenewalState(row.state),
        said=row.said,
        champion=row.champion,
        challenger=row.challenger,
        training_run=row.training_run,
        champion_run=row.champion_run,
        challenger_run=row.challenger_run,
        gate=row.gate,
        release=row.release,
        rollout=row.rollout,
        started_at=row.started_at,
        started_by=row.started_by,
        finished_at=row.finished_at,
    )


def as_event(row: RenewalEventRow) -> RenewalEvent:
    return RenewalEvent(at=row.at, kind=row.kind, sentence=row.sentence, by=row.by, noun=row.noun, target=row.target)


def _row(
    uow: UnitOfWork, renewed: Renewed, *, cause: Cause, reason: str, state: RenewalState, alarms: Sequence[str]
) -> RenewalRow:
    return RenewalRow(
        id=uow.ids.new("renewal"),
        endpoint=renewed.endpoint,
        active=None,
        cause=cause.value,
        reason=reason,
        alarms=list(alarms),
        policy=renewed.policy,
        config=renewed.config,
        state=state,
        said="",
        champion=renewed.champion,
        challenger=None,
        training_run=None,
        champion_run=None,
        challenger_run=None,
        gate=None,
        release=None,
        rollout=None,
        looks=0,
        started_at=uow.clock.now(),
        started_by=uow.by.name,
        finished_at=None,
    )


def _first(alarms: Sequence[str]) -> tuple[str, str]:
    return ("alarm", alarms[0]) if alarms else ("", "")


def _target(row: RenewalRow) -> str:
    return f"endpoint/{row.endpoint}"
