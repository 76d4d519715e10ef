"""Alerts, changes of the audit trail, and jobs that failed."""

from __future__ import annotations

from collections.abc import Iterator

from opsloop.core.audit import service as audit
from opsloop.core.jobs import service as jobs
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.causes.changes import kind_of
from opsloop.monitoring.alerts import service as alerts
from opsloop.remediation.assistant.models import Text
from opsloop.remediation.assistant.sources.records import at, lines

MOST_ALERTS, MOST_CHANGES, MOST_JOBS = 100, 500, 200


def texts(uow: UnitOfWork, incident: str | None) -> Iterator[Text]:
    for each in alerts.listed(uow, limit=MOST_ALERTS):
        where = f" of endpoint {each.endpoint}" if each.endpoint else ""
        said = f"Alert {each.rule}{where} is {each.state.value} since {at(each.started_at)}: {each.summary}"
        yield Text(f"alert/{each.id}", f"alert {each.rule}", f"/alerts#{each.id}", lines([said]))
    for event in audit.listed(uow, limit=MOST_CHANGES):
        if kind_of(event.action) is not None:
            why = f": {event.detail['reason']}" if event.detail.get("reason") else ""
            said = f"Change at {event.at}: {event.action} of {event.target} by {event.actor}{why}"
            yield Text(
                f"audit/{event.id}",
                f"change of {event.target}",
                f"/audit?before={event.seq + 1}#event-{event.seq}",
                lines([said]),
            )
    for job in jobs.listed(uow, limit=MOST_JOBS):
        if job.error:
            said = f"Job {job.kind} of {at(job.created_at)} failed: {job.error}"
            yield Text(f"job/{job.id}", f"job {job.kind}", f"/jobs/{job.id}", lines([said]))
