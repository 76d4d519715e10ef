"""Signals of our own: alerts, also those of an Alertmanager, drift, candidates taken back, jobs that failed.

Alerts of the rules that these events raise are not taken in twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from opsloop.core.events.outbox import subscriber
from opsloop.core.jobs.events import JobFailed
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import service
from opsloop.incidents.intake import working
from opsloop.incidents.intake.grafana import subject_of
from opsloop.incidents.models import SEVERITIES, Observed, Severity, Subject
from opsloop.monitoring.alerts import service as alerts
from opsloop.monitoring.alerts.events import AlertFired, AlertResolved
from opsloop.monitoring.drift.events import DriftClosed, DriftDetected
from opsloop.releases.events import EndpointRolledBack, RolloutRolledBack

NAME = "incidents"
OURS = "opsloop"
_TOLD_OTHERWISE = ("drift", "job-failed", "rollout-rolled-back")
# A repair is for an incident: its alerts are no signals, or it would be checked against the alert about itself.
_OF_REPAIRS = ("repair-waits", "repair-by-itself", "repair-undone", "repair-unknown")


@subscriber(AlertFired, NAME)
def on_alert(uow: UnitOfWork, event: AlertFired) -> None:
    if not event.is_silenced and not (event.source == OURS and event.rule in (*_TOLD_OTHERWISE, *_OF_REPAIRS)):
        service.take_in(uow, [_alert(uow, event, is_over=False)])


@subscriber(AlertResolved, NAME)
def on_alert_over(uow: UnitOfWork, event: AlertResolved) -> None:
    service.take_in(uow, [_alert(uow, event, is_over=True)])


def _alert(uow: UnitOfWork, event: AlertFired | AlertResolved, *, is_over: bool) -> Observed:
    alert = alerts.get(uow, event.alert)
    subject = subject_of(alert.labels)
    return Observed(
        event.source,
        "alert",
        event.rule,
        _severity(event.severity),
        Subject(event.endpoint or subject.endpoint, subject.service, subject.host, subject.labels),
        alert.summary,
        alert.fired_at or alert.started_at,
        ended_at=uow.clock.now() if is_over else None,
        link=f"/alerts#{event.alert}",
    )


@subscriber(DriftDetected, NAME)
def on_drift(uow: UnitOfWork, event: DriftDetected) -> None:
    service.take_in(uow, [_drift(uow, event.alarm, event.endpoint, event.release, event.sentence, event.score)])


@subscriber(DriftClosed, NAME)
def on_drift_over(uow: UnitOfWork, event: DriftClosed) -> None:
    service.take_in(uow, [_drift(uow, event.alarm, event.endpoint, event.release, event.reason, None)])


def _drift(uow: UnitOfWork, alarm: str, endpoint: str, release: str, sentence: str, score: float | None) -> Observed:
    """Args: score: None when it is over."""
    now = uow.clock.now()
    return Observed(
        OURS,
        "drift",
        "drift",
        "ticket",
        Subject(endpoint=endpoint, labels={"release": release, "alarm": alarm}),
        sentence,
        now,
        ended_at=now if score is None else None,
        key=alarm,
        numbers={} if score is None else {"score": score},
        link=f"/endpoints/{endpoint}/drift",
    )


@subscriber(RolloutRolledBack, NAME)
def on_rollback(uow: UnitOfWork, event: RolloutRolledBack) -> None:
    """What people take back themselves is no signal."""
    if event.by_analysis:
        released = {"release": event.release}
        _moment(uow, "rollout", "rollout taken back", event.endpoint, released, event.reason, event.rollout)


@subscriber(EndpointRolledBack, NAME)
def on_endpoint_back(uow: UnitOfWork, event: EndpointRolledBack) -> None:
    key = f"{event.endpoint} {event.replaced} {event.release}"
    released = {"release": event.replaced}
    _moment(uow, "rollout", "endpoint went back", event.endpoint, released, event.reason, key, severity="info")


@subscriber(JobFailed, NAME)
def on_job(uow: UnitOfWork, event: JobFailed) -> None:
    endpoint = str(event.payload.get("endpoint") or "")
    about = working.about(uow, event.kind, event.payload)
    labels = {"job": event.kind, "about": about} if about else {"job": event.kind}
    said = f"job {event.kind} failed: {event.error}"
    key = f"{event.kind} {about}" if about else event.job
    _moment(uow, "job", f"job {event.kind}", endpoint, labels, said, key, link=f"/jobs/{event.job}")


def _moment(
    uow: UnitOfWork,
    kind: str,
    name: str,
    endpoint: str,
    labels: Mapping[str, str],
    text: str,
    key: str,
    *,
    severity: Severity = "ticket",
    link: str = "",
) -> None:
    """A signal of something that happened once; `endings` say when it is over.

    One for information is over at once, and keeps no incident open.
    """
    now = uow.clock.now()
    subject = Subject(endpoint=endpoint, labels=dict(labels))
    signal = Observed(OURS, kind, name, severity, subject, text, now, key=key, link=link)
    service.take_in(uow, [signal, replace(signal, ended_at=now)] if severity == "info" else [signal])


def _severity(given: str) -> Severity:
    return next((each for each in SEVERITIES if each == given), "ticket")
