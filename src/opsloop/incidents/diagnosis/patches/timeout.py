"""A time limit that good work ran into, half as long again; six hours are the most."""

from __future__ import annotations

from typing import Any

from opsloop.incidents.diagnosis.known import Match
from opsloop.incidents.diagnosis.patches.jobs import failing_jobs, steps_of
from opsloop.incidents.diagnosis.ranking import failing_step
from opsloop.incidents.diagnosis.scanning import Scan

KIND = "timeout"
NAME = "timeout-minutes"
MOST_MINUTES = 360


def mend(document: Any, match: Match, scan: Scan) -> bool:
    step = failing_step(scan)
    for job in failing_jobs(document, step.name if step else None):
        limited = [each for each in (*steps_of(job), job) if isinstance(each, dict) and isinstance(each.get(NAME), int)]
        told = [each for each in limited if f"{each[NAME]} minutes" in match.groups.get("line", "")]
        for each in told[:1]:
            longer = min(MOST_MINUTES, each[NAME] + max(1, each[NAME] // 2))
            if longer > each[NAME] > 0:
                each[NAME] = longer
                return True
    return False
