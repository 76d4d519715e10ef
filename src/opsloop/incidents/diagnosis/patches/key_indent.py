"""Keys that belong below the empty `with`, `env` or job before them, and are indented one step too little."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ruamel.yaml.comments import CommentedMap

from opsloop.incidents.diagnosis.known import Match
from opsloop.incidents.diagnosis.patches import keys
from opsloop.incidents.diagnosis.patches.jobs import jobs_of, steps_of
from opsloop.incidents.diagnosis.scanning import Scan

KIND = "workflow_key"
# What may hold keys of any name. Permissions are left alone: nested wrongly they grant nothing, nested right they do.
HOLDERS = ("with", "env", "outputs", "services", "defaults", "strategy", "inputs", "variables")


def mend(document: Any, match: Match, scan: Scan) -> bool:
    key = match.groups.get("key", "")
    found = [(at, holder) for at, holder in _empty_holders(document) if key in _after(at, holder)]
    if len(found) != 1:
        return False
    mapping, holder = found[0]
    below = CommentedMap()
    for each in _after(mapping, holder):
        below[each] = mapping.pop(each)
    mapping[holder] = below
    return True


def _empty_holders(document: Any) -> Iterator[tuple[Any, str]]:
    """Mappings with a key that has nothing, where keys follow that do not belong there."""
    jobs = document.get("jobs")
    if isinstance(jobs, dict):
        yield from ((jobs, name) for name, each in jobs.items() if each is None and isinstance(name, str))
    for job in jobs_of(document).values():
        yield from ((job, name) for name in HOLDERS if name in job and job[name] is None)
        for step in steps_of(job):
            if isinstance(step, dict):
                yield from ((step, name) for name in HOLDERS if name in step and step[name] is None)


def _after(mapping: Any, holder: str) -> list[str]:
    """The keys that follow the holder and are none of the mapping's own."""
    names = [each for each in mapping if isinstance(each, str)]
    own = {*keys.STEP, *keys.JOB}
    is_jobs = holder not in HOLDERS
    after = names[names.index(holder) + 1 :]
    return [each for each in after if (each in keys.JOB if is_jobs else each not in own)]
