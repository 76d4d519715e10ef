"""Repairs to show: one that waits for a yes, advice, a rehearsal; the incident that they are for."""

from __future__ import annotations

from datetime import timedelta

from opsloop.core.caller import Caller
from opsloop.core.workspace import Workspace
from opsloop.incidents import service as incidents
from opsloop.incidents.models import Observed, Subject, Suspect
from opsloop.releases import rollouts
from opsloop.releases import service as releases
from opsloop.remediation import execution, proposing, service

ENDPOINT = "repair-desk"


def repaired(workspace: Workspace, by: Caller, flow: str, other: str, *, hostile: str = "") -> dict[str, str]:
    """Returns ids: `repair_incident`, `repair` (it waits), `advice`, `rehearsal`."""
    with workspace.writing(by) as uow:
        releases.create_endpoint(uow, ENDPOINT)
        releases.create_release(uow, ENDPOINT, flow=flow)
        made = releases.create_release(uow, ENDPOINT, flow=other)
        if not made.rollout.status.is_over:
            rollouts.promote(uow, made.rollout.id)
        subject = Subject(endpoint=ENDPOINT)
        words = "three of nine questions were left without an answer"
        earlier = workspace.clock.now() - timedelta(minutes=40)  # in no time of another incident
        signal = Observed("grafana", "alert", "AnswersMissing", "ticket", subject, words, earlier)
        (incident,) = incidents.take_in(uow, [signal]).opened
        said = ("requests of it failed 33 %", hostile)
        suspect = Suspect(f"endpoint/{ENDPOINT}, release 2", "release", 0.9, said, ("release 1 failed too",))
        incidents.suspect(uow, incident, [suspect])
    asked = {each.playbook: each.id for each in proposing.propose(workspace, incident)}
    rehearsal = service.rehearse(workspace, by, "roll-back-release", {"endpoint": ENDPOINT, "release": 2})
    while execution.step(workspace, rehearsal.id):
        pass
    return {
        "repair_incident": incident,
        "repair": asked["roll-back-release"],
        "advice": asked["ask-around"],
        "rehearsal": rehearsal.id,
    }
