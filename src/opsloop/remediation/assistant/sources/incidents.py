"""Incidents: what broke, their suspects, their timelines, what closed ones were."""

from __future__ import annotations

from collections.abc import Iterator

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents import service as incidents
from opsloop.incidents.models import Incident
from opsloop.remediation.assistant.models import Text
from opsloop.remediation.assistant.sources.records import at, lines

MOST, MOST_LINES = 50, 200


def texts(uow: UnitOfWork, incident: str | None) -> Iterator[Text]:
    """Raises: NotFound of an incident that is named and is not there."""
    if incident is not None:
        yield _text(incidents.get(uow, incident))
        return
    for each in incidents.list_incidents(uow, limit=MOST):
        yield _text(incidents.get(uow, each.id))


def _text(found: Incident) -> Text:
    said = [f"Incident {found.id} is {found.state.value} since {at(found.opened_at)}: {found.title}"]
    said += [f"Signal {each.name} of the incident says: {each.text}" for each in found.signals[:MOST_LINES]]
    for place, each in enumerate(found.suspects, 1):
        said.append(f"Suspect {place} for the cause of the incident is {each.name}: {'; '.join(each.evidence)}")
        if each.counter_evidence:
            said.append(f"Against suspect {each.name} speaks: {'; '.join(each.counter_evidence)}")
    said += [f"At {at(each.at)} {each.kind}: {each.text}" for each in found.timeline[-MOST_LINES:]]
    if found.cause:
        said.append(f"The cause of the incident was {found.cause}")
    return Text(f"incident/{found.id}", found.title, f"/incidents/{found.id}", lines(said))
