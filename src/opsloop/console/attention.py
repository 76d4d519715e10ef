"""What needs somebody: repairs, models and rollouts that wait for a yes first; then incidents, alerts, conversations
that wait for a person, alarms, freezes, repairs whose end nobody knows, rollouts under way or stopped by themselves,
gates not met, jobs that failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsloop.console import words
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.models import JobStatus
from opsloop.core.workspace import UnitOfWork
from opsloop.evaluation import service as evaluations
from opsloop.evaluation.models import RunStatus
from opsloop.evaluation.verdicts import Verdict
from opsloop.guardrails.support import service as support
from opsloop.guardrails.support.models import CaseState
from opsloop.incidents import service as incidents
from opsloop.incidents.models import IncidentState
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alarms.models import AlarmKind, AlarmState
from opsloop.monitoring.alerts import service as alerts
from opsloop.monitoring.alerts.models import AlertState
from opsloop.releases import approvals, freezes, triggers
from opsloop.releases.models import Approval, EndpointState, RolloutStatus
from opsloop.releases.renewals import service as renewals
from opsloop.releases.renewals.models import RenewalState
from opsloop.remediation import service as remediations
from opsloop.remediation.models import State as RepairState

# The rules whose alerts are about what stands here anyway.
_TOLD_OTHERWISE = ("drift", "job-failed", "rollout-rolled-back", "renewal-rejected", "repair-waits", "repair-unknown")
_ASKS = ("waits for a yes", "awaiting_approval")
RECENT_S = 86_400
MOST = 12
LATEST_JOBS = 200
LATEST_RUNS = 50


@dataclass(frozen=True, slots=True)
class Need:
    """One thing: its state, a sentence, and the page where something can be done about it."""

    state: str
    title: str
    sentence: str
    href: str
    at: datetime


def needs(uow: UnitOfWork, states: Sequence[EndpointState]) -> tuple[Need, ...]:
    """What waits for a yes, then the rest, the newest first, `MOST` at most; what is over counts for a day."""
    since = uow.clock.now() - timedelta(seconds=RECENT_S)
    asking = {each.rollout: each for each in approvals.waiting(uow)}
    under_way = [state for state in states if state.rollout is None or state.rollout.id not in asking]
    found = [
        *_repairs(uow, since),
        *_incidents(uow),
        *_alerts(uow),
        *_cases(uow),
        *_alarms(uow),
        *_renewals(uow),
        *_approvals(asking.values()),
        *_freezes(uow),
        *_troubles(uow, since),
        *_rollouts(under_way, since),
        *_gates(uow, since),
        *_failed_jobs(uow, since),
    ]
    return tuple(sorted(found, key=lambda need: (need.state in _ASKS, need.at), reverse=True)[:MOST])


def _repairs(uow: UnitOfWork, since: datetime) -> Iterator[Need]:
    """Repairs that somebody's yes makes act, and those of which nobody knows whether they worked."""
    for each in remediations.listed(uow, waiting=True, limit=MOST):
        would = each.preview.sentence if each.preview is not None else each.target
        yield Need(_ASKS[0], f"repair: {each.title}", would, f"/remediations/{words.segment(each.id)}", each.asked_at)
    for each in remediations.listed(uow, state=RepairState.UNKNOWN, limit=MOST):
        at = each.finished_at or each.asked_at
        if at >= since:
            here = f"/remediations/{words.segment(each.id)}"
            yield Need(each.state.value, f"repair: {each.title}", each.outcome, here, at)


def _incidents(uow: UnitOfWork) -> Iterator[Need]:
    """Incidents that nobody deals with."""
    for each in incidents.list_incidents(uow, state=IncidentState.OPEN, limit=MOST):
        suspect = f"; first suspect: {each.suspects[0].name}" if each.suspects else ""
        said = f"{words.several(each.signal_count, 'signal')}{suspect}"
        yield Need("open", f"incident: {each.title}", said, f"/incidents/{words.segment(each.id)}", each.opened_at)


def _alerts(uow: UnitOfWork) -> Iterator[Need]:
    """Alerts that fire, that nobody deals with, and that no other line here is about."""
    for alert in alerts.listed(uow, state=AlertState.FIRING, limit=LATEST_RUNS):
        if alert.acknowledged_at is None and not alert.is_silenced and alert.rule not in _TOLD_OTHERWISE:
            title = f"{alert.endpoint}, {alert.rule}" if alert.endpoint else alert.rule
            yield Need("firing", title, alert.summary, f"/alerts#{words.segment(alert.id)}", alert.started_at)


def _cases(uow: UnitOfWork) -> Iterator[Need]:
    """One line for all conversations that nobody has claimed: a queue must not push everything else away."""
    newest = support.listed(uow, state=CaseState.OPEN, limit=1)
    if newest:
        waiting = support.counted(uow, CaseState.OPEN)
        said = f"{words.several(waiting, 'conversation')} {'waits' if waiting == 1 else 'wait'} for a person"
        yield Need("open", "support", said, "/support?state=open", newest[0].opened_at)


def _alarms(uow: UnitOfWork) -> Iterator[Need]:
    """Alarms of models that nobody deals with yet."""
    for alarm in alarms.listed(uow, state=AlarmState.OPEN, limit=MOST):
        state = "drifted" if alarm.kind is AlarmKind.DRIFT else "worse"
        href = f"/endpoints/{words.segment(alarm.endpoint)}/drift"
        yield Need(state, f"{alarm.endpoint}, {alarm.model}", alarm.sentence, href, alarm.opened_at)


def _renewals(uow: UnitOfWork) -> Iterator[Need]:
    """Challengers that passed their gate and wait for a person."""
    for each in renewals.listed(uow, limit=LATEST_RUNS):
        if each.state is RenewalState.AWAITING_APPROVAL:
            said = f"{each.challenger} passed its gate against {each.champion or 'nothing'} and waits for a yes"
            href = f"/endpoints/{words.segment(each.endpoint)}#renewals"
            yield Need(each.state.value, f"{each.endpoint}, {each.challenger}", said, href, each.started_at)


def _approvals(asking: Iterable[Approval]) -> Iterator[Need]:
    """Steps of rollouts that wait for a person."""
    for each in asking:
        said = f"{each.action}? {each.sentence}"
        href = f"/rollouts/{words.segment(each.rollout)}/approval"
        yield Need("awaiting_approval", f"{each.endpoint}, rollout", said, href, each.asked_at)


def _freezes(uow: UnitOfWork) -> Iterator[Need]:
    for each in freezes.active(uow):
        title = each.endpoint or "every endpoint"
        href = f"/endpoints/{words.segment(each.endpoint)}" if each.endpoint else "/audit?action=release."
        yield Need("frozen", title, freezes.told(each), href, each.began_at)


def _troubles(uow: UnitOfWork, since: datetime) -> Iterator[Need]:
    """Releases that got into trouble after they took over, and what was done about it."""
    for each in triggers.recent(uow, since, limit=MOST):
        title = f"{each.endpoint}, release {each.number}"
        yield Need("triggered", title, each.sentence, f"/rollouts/{words.segment(each.rollout)}", each.at)


def _rollouts(states: Sequence[EndpointState], since: datetime) -> Iterator[Need]:
    for state in states:
        rollout = state.rollout
        if rollout is None:
            continue
        at = rollout.finished_at or rollout.started_at
        is_stopped = rollout.status is RolloutStatus.ROLLED_BACK and at >= since
        if is_stopped or not rollout.status.is_over:
            title = f"{state.endpoint.name}, release {rollout.number}"
            reason = rollout.reason or "waits for its analysis to begin"
            yield Need(rollout.status.value, title, reason, f"/rollouts/{words.segment(rollout.id)}", at)


def _gates(uow: UnitOfWork, since: datetime) -> Iterator[Need]:
    """Flows whose newest evaluation was not let in, and evaluations that failed themselves."""
    seen: set[tuple[str, str]] = set()
    for run in evaluations.listed(uow, limit=LATEST_RUNS):
        at = run.finished_at or run.created_at
        about = (run.experiment, run.flow)
        if about in seen or at < since:
            continue
        seen.add(about)
        title, href = f"{run.flow} in {run.experiment}", f"/evaluations/{words.segment(run.id)}"
        if run.status is RunStatus.FAILED:
            yield Need("failed", title, run.error or "the evaluation failed", href, at)
        elif run.verdict is not None and run.verdict is not Verdict.PASS:
            report = evaluations.gate_report(uow, run.id)
            yield Need(run.verdict.value, title, report.sentence if report else "its gate was not met", href, at)


def _failed_jobs(uow: UnitOfWork, since: datetime) -> Iterator[Need]:
    for job in jobs.listed(uow, limit=LATEST_JOBS):
        at = job.finished_at or job.created_at
        if job.status is JobStatus.FAILED and at >= since:
            said = job.error or "it failed without a word"
            yield Need(job.status.value, f"job {job.kind}", said, f"/jobs/{words.segment(job.id)}", at)
