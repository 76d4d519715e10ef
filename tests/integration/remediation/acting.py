"""A playbook for tests that takes any action, and a repair carried through with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text

from opsloop.core.caller import Caller, Role
from opsloop.core.settings import Section
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.incidents import service as incidents
from opsloop.incidents.models import Incident, Observed
from opsloop.remediation import execution, proposing, service
from opsloop.remediation.models import Remediation
from opsloop.remediation.playbooks.playbook import Fit

OPERATOR = Caller("key:maria", Role.OPERATOR)


class Trying:
    """Fits every incident."""

    name = "try-it"
    title = "Try it"

    def __init__(self, action: str, parameters: dict[str, Any], endpoint: str = "") -> None:
        self.action, self._parameters, self._endpoint = action, parameters, endpoint

    def fits(self, uow: UnitOfWork, incident: Incident) -> list[Fit]:
        return [Fit("test/target", ("a test",), (), ("do it",), parameters=self._parameters, endpoint=self._endpoint)]


@contextmanager
def only(monkeypatch: Any, playbook: Any) -> Iterator[None]:
    """Let this playbook be the only one there is."""
    with monkeypatch.context() as patched:
        patched.setattr(proposing, "working_playbooks", lambda *_: {playbook.name: playbook})
        patched.setattr(service, "playbook_of", lambda *_: playbook)
        yield


def set_section(workspace: Workspace, section: Section) -> None:
    """Give a slice other settings than it read."""
    workspace._sections[type(section)] = section


def open_incident(workspace: Workspace, observed: Observed) -> str:
    with workspace.writing(OPERATOR) as uow:
        return incidents.take_in(uow, [observed]).opened[0]


def proposed(workspace: Workspace, incident: str, playbook: str = "try-it") -> Remediation:
    return next(each for each in proposing.propose(workspace, incident) if each.playbook == playbook)


def approved(workspace: Workspace, asked: Remediation) -> Remediation:
    with workspace.writing(OPERATOR) as uow:
        return service.approve(uow, asked.id, digest=asked.digest)


def stepped(workspace: Workspace, asked: Remediation) -> Remediation:
    execution.step(workspace, asked.id)
    with workspace.reading(OPERATOR) as uow:
        return service.get(uow, asked.id)


def undone(workspace: Workspace, asked: Remediation) -> Remediation:
    with workspace.writing(OPERATOR) as uow:
        service.undo(uow, asked.id, reason="a test")
    return stepped(workspace, asked)


def announced(workspace: Workspace, asked: Remediation) -> None:
    """What a process leaves behind that was killed while it acted."""
    with workspace.writing(OPERATOR) as uow:
        uow.session.execute(text("UPDATE remediations SET state = 'acting' WHERE id = :id"), {"id": asked.id})
