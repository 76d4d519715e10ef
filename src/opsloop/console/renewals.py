"""Renewals of an endpoint in the words of its page: what happened, each with what to look at."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.console import words
from opsloop.core.workspace import UnitOfWork
from opsloop.releases.renewals import service
from opsloop.releases.renewals.models import Renewal, RenewalEvent, RenewalState

SHOWN = 6
_PLACES = {
    "evaluation": "/evaluations/",
    "rollout": "/rollouts/",
    "training_run": "/training/",
    "dataset": "/datasets/",
}


@dataclass(frozen=True, slots=True)
class Happened:
    """A line of a renewal's history; `href` is empty where there is nothing to look at."""

    event: RenewalEvent
    href: str

    @property
    def kind(self) -> str:
        return self.event.kind.replace("_", " ")


@dataclass(frozen=True, slots=True)
class RenewalsView:
    """The newest renewal with its history, and those before it."""

    newest: Renewal
    history: tuple[Happened, ...]
    earlier: tuple[Renewal, ...]

    @property
    def waits_for_a_yes(self) -> bool:
        return self.newest.state is RenewalState.AWAITING_APPROVAL


def view(uow: UnitOfWork, endpoint: str) -> RenewalsView | None:
    """None of an endpoint that was never renewed."""
    found = service.listed(uow, endpoint=endpoint, limit=SHOWN)
    if not found:
        return None
    events = service.get(uow, found[0].id).events
    return RenewalsView(found[0], tuple(Happened(each, href(each, endpoint)) for each in events), tuple(found[1:]))


def under_way(uow: UnitOfWork, endpoint: str) -> Renewal | None:
    """The renewal that goes on."""
    return next((each for each in service.listed(uow, endpoint=endpoint, limit=1) if not each.state.is_over), None)


def href(event: RenewalEvent, endpoint: str) -> str:
    """Where to look at what an event is of."""
    if event.noun == "alarm":
        return f"/endpoints/{words.segment(endpoint)}/drift"
    place = _PLACES.get(event.noun)
    if place is None or not event.target:
        return ""
    return f"{place}{words.segment(event.target)}"
