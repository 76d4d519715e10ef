"""Collect the report of a period from what is stored; the same state and period give the same report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from opsloop.compliance.models import (
    FORMAT,
    Data,
    EndpointReport,
    Gate,
    ObjectiveKept,
    Period,
    ReleaseServed,
    Report,
    RolloutMade,
)
from opsloop.core.audit import keys as audit_keys
from opsloop.core.audit import service as audit
from opsloop.core.audit.models import AuditEvent
from opsloop.core.caller import Role
from opsloop.core.errors import InvalidInput, NotFound
from opsloop.core.identity import keys
from opsloop.core.workspace import UnitOfWork
from opsloop.evaluation import service as evaluations
from opsloop.feedback import service as feedback
from opsloop.models import service as models
from opsloop.monitoring.alarms import service as alarms
from opsloop.monitoring.alerts import service as alerts
from opsloop.monitoring.objectives import burning
from opsloop.monitoring.objectives import service as objectives
from opsloop.monitoring.objectives.models import Measure, Objective
from opsloop.releases import rollouts
from opsloop.releases import service as releases
from opsloop.releases.models import EndpointState, Release, Rollout

LONGEST = timedelta(days=400)
MOST_ALERTS = 1_000
MOST_ROLLOUTS = 1_000
MOST_DECISIONS = 5_000
_PAGE = 1_000
_DECISIVE = ("rollout.", "renewal.", "release.", "endpoint.rolled_back", "gate.", "model.alias")
_YES_AND_NO = ("approv", "reject", "den")


def period(since: str, until: str) -> Period:
    """A period of two days or instants, such as `2027-01-01`; UTC where they name no offset. Raises: InvalidInput."""
    found = Period(_instant("from", since), _instant("to", until))
    if found.until <= found.since or found.until - found.since > LONGEST:
        wanted = f"an instant after from ({found.since.isoformat()}), by at most {LONGEST.days} days"
        raise InvalidInput(field="to", value=until, wanted=wanted)
    return found


def collect(uow: UnitOfWork, period: Period) -> Report:
    """Raises: NotAllowed for whoever may not see the keys."""
    uow.by.require(Role.ADMIN)
    cut: list[str] = []
    events = list(_events(uow, period))
    found_alerts = alerts.listed(uow, since=period.since, until=period.until, limit=MOST_ALERTS)
    if len(found_alerts) == MOST_ALERTS:
        cut.append("alerts")
    decisions = [event for event in events if _is_decision(event)]
    if len(decisions) > MOST_DECISIONS:
        cut.append("decisions")
    states = sorted(releases.endpoints(uow), key=lambda state: state.endpoint.name)
    return Report(
        format=FORMAT,
        period=period,
        endpoints=tuple(_endpoint(uow, state, period) for state in states),
        decisions=tuple(reversed(decisions[:MOST_DECISIONS])),
        actions=dict(sorted(Counter(event.action for event in events).items())),
        alerts=tuple(reversed(found_alerts)),
        feedback=feedback.summary(uow, since=period.since, until=period.until),
        keys=tuple(each for each in keys.all_keys(uow) if _was_there(each.created_at, each.revoked_at, period)),
        trail=audit.verify(uow, audit_keys.own_public_key(uow.workspace.data_dir)),
        cut=tuple(cut),
    )


def _instant(field: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        wanted = "a day or an instant, such as 2027-01-01 or 2027-01-01T12:00:00Z"
        raise InvalidInput(field=field, value=text, wanted=wanted) from None
    try:
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise InvalidInput(field=field, value=text, wanted="an instant of the years 1 to 9999 in UTC") from None


def _events(uow: UnitOfWork, period: Period) -> Iterator[AuditEvent]:
    """Records of the period, newest first."""
    before: int | None = None
    while True:
        page = audit.listed(uow, before=before, limit=_PAGE)
        for event in page:
            at = datetime.fromisoformat(event.at)
            if at < period.since:
                return
            if at < period.until:
                yield event
        if len(page) < _PAGE:
            return
        before = page[-1].seq


def _is_decision(event: AuditEvent) -> bool:
    return event.action.startswith(_DECISIVE) or any(word in event.action for word in _YES_AND_NO)


def _was_there(created_at: datetime, revoked_at: datetime | None, period: Period) -> bool:
    return created_at < period.until and (revoked_at is None or revoked_at >= period.since)


def _endpoint(uow: UnitOfWork, state: EndpointState, period: Period) -> EndpointReport:
    name = state.endpoint.name
    ways = rollouts.listed(uow, name, limit=MOST_ROLLOUTS)
    made = sorted(releases.releases(uow, name), key=lambda release: release.number)
    served = [_release(uow, each, state, [way for way in ways if way.release == each.id], period) for each in made]
    guarded = objectives.tally(uow, name, Measure.GUARDRAILS, since=period.since, until=period.until)
    privacy = objectives.tally(uow, name, Measure.PRIVACY, since=period.since, until=period.until)
    return EndpointReport(
        name=name,
        kind=state.endpoint.kind,
        releases=tuple(each for each in served if each is not None),
        objectives=tuple(_objective(uow, name, each, period) for each in objectives.objectives(uow, name)),
        guardrail_hits=guarded.bad,
        leaks=privacy.bad,
        alarms=tuple(each for each in alarms.since(uow, name, period.since) if each.opened_at < period.until),
    )


def _release(
    uow: UnitOfWork, release: Release, state: EndpointState, ways: list[Rollout], period: Period
) -> ReleaseServed | None:
    """None for one of another time that does not serve."""
    inside = [way for way in ways if _was_there(way.started_at, way.finished_at, period)]
    is_stable = state.stable is not None and state.stable.id == release.id
    made_inside = period.since <= release.created_at < period.until
    if release.created_at >= period.until or not (inside or is_stable or made_inside):
        return None
    return ReleaseServed(
        id=release.id,
        number=release.number,
        serves=release.serves,
        digest=release.digest,
        made_at=release.created_at,
        made_by=release.created_by,
        is_stable=is_stable,
        data=tuple(_data(uow, release)),
        gate=_gate(uow, release),
        rollouts=tuple(_rollout(uow, way) for way in sorted(inside, key=lambda way: way.started_at)),
    )


def _rollout(uow: UnitOfWork, way: Rollout) -> RolloutMade:
    who = dict.fromkeys(event.by for event in rollouts.get(uow, way.id).events)
    return RolloutMade(way.id, way.strategy, way.status, way.reason, way.started_at, way.finished_at, tuple(who))


def _data(uow: UnitOfWork, release: Release) -> Iterator[Data]:
    if release.kind == "model":
        try:
            version = models.get(uow, release.serves)
        except NotFound:
            return
        if version.dataset:
            yield Data(version.dataset, None, "trained on")
    if release.evaluation is not None:
        try:
            run = evaluations.get(uow, release.evaluation)
        except NotFound:
            return
        for each in run.datasets:
            yield Data(each.ref, each.digest, "evaluated on")


def _gate(uow: UnitOfWork, release: Release) -> Gate | None:
    if release.evaluation is None:
        return None
    try:
        found = evaluations.gate_report(uow, release.evaluation)
    except NotFound:
        return None
    if found is None:
        return None
    return Gate(release.evaluation, found.verdict, found.sentence, found.created_at, found.created_by)


def _objective(uow: UnitOfWork, endpoint: str, objective: Objective, period: Period) -> ObjectiveKept:
    measure = objective.name if objective.measure is Measure.LATENCY else str(objective.measure)
    whole = objectives.tally(uow, endpoint, measure, since=period.since, until=period.until)
    is_mean = objective.measure is Measure.MEAN_LATENCY
    used = burning.rate(objective, whole)
    return ObjectiveKept(
        name=objective.name,
        target=objective.target,
        within_ms=objective.within_ms,
        value=None if not whole.total else whole.amount / whole.total if is_mean else whole.good / whole.total,
        total=whole.total,
        bad=whole.bad,
        is_met=None if used is None else used <= 1 + 1e-9,
    )
