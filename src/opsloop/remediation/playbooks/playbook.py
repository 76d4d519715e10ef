"""What every playbook is: when it fits, what it asks, what is to be done, and which action does it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from opsloop.core.workspace import UnitOfWork
from opsloop.incidents.models import Incident


@dataclass(frozen=True, slots=True)
class Fit:
    """That a playbook fits an incident.

    Args:
        target: what it would change, such as `endpoint/chat`.
        because: what speaks for it, a sentence each; against: what speaks against it.
        questions: what a person should ask before anything is done, with what is known already.
        checklist: what is to be done, step by step.
        parameters: of the playbook's action; None where it cannot act here.
        endpoint: that is checked afterwards; empty when it is about none.
    """

    target: str
    because: tuple[str, ...]
    questions: tuple[str, ...]
    checklist: tuple[str, ...]
    against: tuple[str, ...] = ()
    parameters: dict[str, Any] | None = None
    endpoint: str = ""
    labels: dict[str, str] = field(default_factory=dict)


class Playbook(Protocol):
    @property
    def name(self) -> str:
        """In words with dashes, as policy names it."""

    @property
    def title(self) -> str:
        """What it does, as a command: `Roll back the release to blame`."""

    @property
    def action(self) -> str:
        """The kind of action that it takes; empty when it only asks and advises."""

    def fits(self, uow: UnitOfWork, incident: Incident) -> list[Fit]:
        """Where it fits; nothing is changed."""
