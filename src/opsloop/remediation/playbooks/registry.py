"""Which playbooks there are.

A new one is a file here and a line below, an entry point of a team's package, or a YAML file in the folder of the
setting `remediation_playbooks`.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

import structlog

from opsloop.core.errors import InvalidInput
from opsloop.core.workspace import Workspace
from opsloop.remediation.playbooks import (
    ask_around,
    rebuild_index,
    rerun_failed_job,
    retrain_drifted_model,
    roll_back_release,
    take_back_candidate,
)
from opsloop.remediation.playbooks.declared import read_folder
from opsloop.remediation.playbooks.playbook import Playbook
from opsloop.remediation.playbooks.settings import PlaybookSettings

log = structlog.get_logger()
GROUP = "opsloop.playbooks"
OURS: tuple[Playbook, ...] = (
    take_back_candidate.PLAYBOOK,
    roll_back_release.PLAYBOOK,
    retrain_drifted_model.PLAYBOOK,
    rebuild_index.PLAYBOOK,
    rerun_failed_job.PLAYBOOK,
    ask_around.PLAYBOOK,
)


def playbooks(workspace: Workspace) -> dict[str, Playbook]:
    """By name, in the order in which they are tried; a team's own may not take the name of another.

    Raises: InvalidInput naming the file and the field of a declared one that is wrong.
    """
    known = _coded()
    folder = workspace.section(PlaybookSettings).remediation_playbooks
    declared = read_folder(folder) if folder is not None else []
    for each in declared:
        if each.name in known:
            wanted = "a name that no other playbook has"
            raise InvalidInput(field="setting remediation_playbooks: name", value=each.name, wanted=wanted)
    return known | {each.name: each for each in declared}


def working_playbooks(workspace: Workspace) -> dict[str, Playbook]:
    """The same without declared ones as long as one of them is wrong: an incident does not wait for its mending."""
    try:
        return playbooks(workspace)
    except InvalidInput as error:
        log.error("playbooks_wrong", error=error.sentence)
        return dict(_coded())


def playbook_of(workspace: Workspace, name: str) -> Playbook:
    """Raises: InvalidInput."""
    found = playbooks(workspace)
    if name not in found:
        raise InvalidInput(field="playbook", value=name, wanted=f"one of {', '.join(found)}")
    return found[name]


@cache
def _coded() -> dict[str, Playbook]:
    brought = {each.name: each.load() for each in entry_points(group=GROUP)}
    names = {each.name for each in OURS}
    return {each.name: each for each in OURS} | {name: each for name, each in brought.items() if name not in names}
