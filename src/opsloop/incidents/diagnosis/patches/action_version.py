"""An action in a release that GitHub no longer runs, in the release that it runs."""

from __future__ import annotations

from typing import Any

from opsloop.incidents.diagnosis.known import Match
from opsloop.incidents.diagnosis.patches.jobs import jobs_of, steps_of
from opsloop.incidents.diagnosis.scanning import Scan

KIND = "action_version"
# The oldest release of each that GitHub still runs: the smallest step away from what the workflow was written for.
RUNS = {
    "actions/checkout": "v4",
    "actions/setup-python": "v5",
    "actions/setup-node": "v4",
    "actions/setup-java": "v4",
    "actions/setup-go": "v5",
    "actions/cache": "v4",
    "actions/upload-artifact": "v4",
    "actions/download-artifact": "v4",
}


def mend(document: Any, match: Match, scan: Scan) -> bool:
    action = match.groups.get("action", "")
    version = match.groups.get("version", "")
    if action not in RUNS or not version:
        return False
    changed = False
    for job in jobs_of(document).values():
        for step in steps_of(job):
            used = str(step.get("uses", "")) if isinstance(step, dict) else ""
            if used == f"{action}@{version}" or used.startswith(f"{action}@{version}."):
                step["uses"] = f"{action}@{RUNS[action]}"
                changed = True
    return changed
