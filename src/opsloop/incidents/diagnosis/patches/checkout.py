"""A job that never checks the repository out gets the step that does."""

from __future__ import annotations

from typing import Any

from opsloop.incidents.diagnosis.known import Match
from opsloop.incidents.diagnosis.patches.jobs import failing_jobs, steps_of
from opsloop.incidents.diagnosis.ranking import failing_step
from opsloop.incidents.diagnosis.scanning import Scan

KIND = "checkout"
ACTION = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"  # v7.0.1


def mend(document: Any, match: Match, scan: Scan) -> bool:
    step = failing_step(scan)
    for job in failing_jobs(document, step.name if step else None):
        steps = steps_of(job)
        if steps and not any(
            str(each.get("uses", "")).startswith("actions/checkout@") for each in steps if isinstance(each, dict)
        ):
            steps.insert(0, {"uses": ACTION})
            return True
    return False
