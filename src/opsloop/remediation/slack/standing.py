"""What a message that asked says now: whether it still asks, and else what became of the question, wherever."""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.core.workspace import UnitOfWork
from opsloop.remediation import halts, service
from opsloop.remediation.models import Remediation, State
from opsloop.remediation.slack._tables import MessageRow


@dataclass(frozen=True, slots=True)
class Standing:
    """What is to be said.

    Args:
        asks: with buttons; is_held: they would do nothing now.
        said: below the question.
        is_over: nothing can change it any more.
    """

    found: Remediation
    asks: bool
    said: str
    is_over: bool = False
    is_held: bool = False


def standing(uow: UnitOfWork, row: MessageRow) -> Standing:
    found = service.get(uow, row.remediation)
    if found.digest != row.digest:
        return Standing(found, False, "asked again: a newer message has what is true now", is_over=True)
    yes = " and ".join(each.by for each in found.votes if each.is_yes and each.digest == found.digest)
    if found.waits and not found.is_lapsed:
        if (halt := halts.present(uow)) is not None:
            return Standing(found, False, f"repairs are halted by {halt.began_by}: {halt.reason}", is_held=True)
        return Standing(found, True, f"approved by {yes}; somebody else's yes is needed too" if yes else "")
    if found.state is State.PROPOSED:
        return Standing(found, False, f"nobody said yes in time; `opsloop remediation renew {found.id}` asks again")
    approved = f"approved by {yes}" if yes else ""
    if found.state.is_over:
        ended = f"{found.state.value}: {found.outcome}"
        return Standing(found, False, "; ".join(each for each in (approved, ended) if each), is_over=True)
    return Standing(found, False, "; ".join(each for each in (approved, found.acted) if each) or found.state.value)
