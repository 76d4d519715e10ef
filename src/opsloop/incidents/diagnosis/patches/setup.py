"""A program that a step runs and no step installs gets the setup action of its language."""

from __future__ import annotations

from typing import Any

from opsloop.incidents.diagnosis.known import Match
from opsloop.incidents.diagnosis.patches.jobs import failing_jobs, is_step, steps_of
from opsloop.incidents.diagnosis.ranking import failing_step
from opsloop.incidents.diagnosis.scanning import Scan

KIND = "setup"
# v7.0.0, by commit: an action that a patch brings is pinned.
PYTHON = "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97"
BRINGS = dict.fromkeys(("python", "pip"), (PYTHON, {"python-version": "3.x"}))


def mend(document: Any, match: Match, scan: Scan) -> bool:
    if match.groups.get("command") not in BRINGS:
        return False
    action, given = BRINGS[match.groups["command"]]
    failed = failing_step(scan)
    for job in failing_jobs(document, failed.name if failed else None):
        steps = steps_of(job)
        if any(str(each.get("uses", "")).startswith(action.split("@")[0]) for each in steps if isinstance(each, dict)):
            return False
        at = next((place for place, each in enumerate(steps) if is_step(each, failed.name if failed else None)), None)
        if at is not None:
            steps.insert(at, {"uses": action, "with": dict(given)})
            return True
    return False
