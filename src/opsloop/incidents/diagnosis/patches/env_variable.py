"""A variable that another step or job of the workflow has and the failing one lacks, unless it is made of a secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opsloop.incidents.diagnosis.known import Match
from opsloop.incidents.diagnosis.patches.jobs import failing_jobs, is_step, jobs_of, steps_of
from opsloop.incidents.diagnosis.ranking import failing_step
from opsloop.incidents.diagnosis.scanning import Scan

KIND = "env_variable"


def mend(document: Any, match: Match, scan: Scan) -> bool:
    name = match.groups.get("variable", "")
    failed = failing_step(scan)
    values = {str(each): each for each in _values(document, name)}
    if failed is None or len(values) != 1 or "secrets" in next(iter(values)):
        return False
    for job in failing_jobs(document, failed.name):
        steps = [each for each in steps_of(job) if is_step(each, failed.name)]
        if len(steps) != 1:
            return False
        held = steps[0].get("env")
        if held is None:
            steps[0]["env"] = {name: next(iter(values.values()))}
        elif isinstance(held, dict) and name not in held:
            held[name] = next(iter(values.values()))
        else:
            return False
        return True
    return False


def _values(document: Any, name: str) -> Iterator[Any]:
    """What the jobs and steps of the workflow give the variable."""
    for job in jobs_of(document).values():
        for owner in (job, *steps_of(job)):
            held = owner.get("env") if isinstance(owner, dict) else None
            if isinstance(held, dict) and isinstance(held.get(name), str | int | float):
                yield held[name]
