"""The durable job that an incident opens: it looks for what may have caused it and writes it down.

It runs again after a crash and keeps the same suspects then; the network is not asked.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from opsloop.core.caller import system
from opsloop.core.events.outbox import subscriber
from opsloop.core.jobs import service as jobs
from opsloop.core.jobs.registry import JobContext, job
from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import service
from opsloop.incidents.causes import models as causes
from opsloop.incidents.causes import service as explaining
from opsloop.incidents.causes.onset import onset
from opsloop.incidents.events import IncidentChanged, IncidentOpened
from opsloop.incidents.models import Incident, IncidentState, Suspect
from opsloop.incidents.settings import IncidentSettings
from opsloop.incidents.taking_in import COLLECT
from opsloop.incidents.topology.targets import target

BY = system("incidents")
LONGEST = timedelta(days=7)


@subscriber(IncidentOpened, "incident collecting")
def on_opened(uow: UnitOfWork, event: IncidentOpened) -> None:
    # Telemetry is written some seconds after it happened, and further signals come in that time.
    wait_s = uow.workspace.section(IncidentSettings).incident_collect_s
    after = uow.clock.now() + timedelta(seconds=wait_s)
    jobs.enqueue(uow, COLLECT, {"incident": event.incident}, id=f"collect:{event.incident}", run_after=after)


@subscriber(IncidentChanged, "incident impact")
def on_changed(uow: UnitOfWork, event: IncidentChanged) -> None:
    if event.what == "mitigated":
        service.count_impact(uow, event.incident)


@job(COLLECT)
def collect(context: JobContext, payload: dict[str, Any]) -> None:
    """Rank what may have caused an incident that is not closed; let go of incidents that are too old."""
    with context.workspace.writing(BY) as uow:
        incident = service.get(uow, payload["incident"])
        if incident.state is not IncidentState.CLOSED and not incident.suspects:
            _explain(uow, incident)
        service.count_impact(uow, incident.id)
        service.prune(uow)


def _explain(uow: UnitOfWork, incident: Incident) -> None:
    subjects = [target(each) for each in incident.subjects]
    now = uow.clock.now()
    began = min([each.started_at for each in incident.signals], default=incident.opened_at)
    if not subjects:
        service.record(uow, incident.id, "suspect", "its signals name no endpoint and no service to look at")
        return
    # A clock that was set back may put the start after now.
    began = min(max(began, now - LONGEST), now)
    began = onset(uow, [each.removeprefix("endpoint/") for each in subjects if each.startswith("endpoint/")], began)
    ranking = explaining.explain(uow, subjects=subjects, started_at=began, until=now)
    if ranking.abstained is not None:
        service.record(uow, incident.id, "suspect", f"no suspect is named: {ranking.abstained}")
        return
    service.suspect(uow, incident.id, [_suspect(each) for each in ranking.suspects[:5]])
    for each in ranking.suspects[:5]:
        if each.change is not None:
            said = f"{each.change.subject}: {each.change.action} by {each.change.by}"
            service.record(uow, incident.id, "change", said, at=each.change.at, ref=each.change.ref)


def _suspect(found: causes.Suspect) -> Suspect:
    change = found.change
    name = (
        f"{found.subject}, release {change.after}"
        if change and change.kind is causes.ChangeKind.RELEASE
        else found.subject
    )
    kind = change.kind.value if change is not None else found.kind.value
    link = ""
    if found.subject.startswith("endpoint/"):
        link = f"/endpoints/{found.subject.removeprefix('endpoint/')}"
    elif found.kind is causes.SuspectKind.SERVICE and "/" not in found.subject:
        link = f"/traces?service={quote(found.subject)}"
    return Suspect(name, kind, found.score, found.evidence, found.counter_evidence, link)
