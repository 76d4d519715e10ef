"""Which playbooks there are; a new one is a file here and a line below, or an entry point of a team's package."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from opsloop.core.errors import InvalidInput
from opsloop.remediation.playbooks import ask_around, roll_back_release, take_back_candidate
from opsloop.remediation.playbooks.playbook import Playbook

GROUP = "opsloop.playbooks"
OURS: tuple[Playbook, ...] = (take_back_candidate.PLAYBOOK, roll_back_release.PLAYBOOK, ask_around.PLAYBOOK)


@cache
def playbooks() -> dict[str, Playbook]:
    """By name, in the order in which they are tried; a team's own may not take the name of ours."""
    brought = {each.name: each.load() for each in entry_points(group=GROUP)}
    return {each.name: each for each in OURS} | {name: each for name, each in brought.items() if name not in _names()}


def playbook_of(name: str) -> Playbook:
    """Raises: InvalidInput."""
    found = playbooks().get(name)
    if found is None:
        raise InvalidInput(field="playbook", value=name, wanted=f"one of {', '.join(playbooks())}")
    return found


def _names() -> set[str]:
    return {each.name for each in OURS}
