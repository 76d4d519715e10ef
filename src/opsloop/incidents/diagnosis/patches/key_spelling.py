"""A key that GitHub or Azure Pipelines does not know and that is nearly one it does, spelt as that one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opsloop.incidents.diagnosis.known import Match
from opsloop.incidents.diagnosis.patches import keys
from opsloop.incidents.diagnosis.patches.jobs import jobs_of
from opsloop.incidents.diagnosis.scanning import Scan

KIND = "workflow_key"


def mend(document: Any, match: Match, scan: Scan) -> bool:
    key = match.groups.get("key", "")
    places = [(at, known) for at, known in _mappings(document) if key in at and key not in known]
    if len(places) != 1:
        return False
    mapping, known = places[0]
    right = keys.nearest(key, known, taken=mapping)
    if right is None:
        return False
    keys.rename(mapping, key, right)
    return True


def _mappings(document: Any) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Each mapping with the keys that it may have."""
    if "on" in document:
        yield document, keys.WORKFLOW
        for job in jobs_of(document).values():
            yield job, keys.JOB
            if isinstance(job.get("strategy"), dict):
                yield job["strategy"], keys.STRATEGY
            for name, each in job.items():
                if name in ("steps", "step") and isinstance(each, list):
                    yield from ((step, keys.STEP) for step in each if isinstance(step, dict))
    elif "apiVersion" not in document:
        yield document, keys.AZURE_PIPELINE
        yield from _azure(document, "stages", keys.AZURE_STAGE)
        yield from _azure(document, "jobs", keys.AZURE_JOB)
        yield from _azure(document, "steps", keys.AZURE_STEP)
        for stage in _entries(document, "stages"):
            yield from _azure(stage, "jobs", keys.AZURE_JOB)
            for job in _entries(stage, "jobs"):
                yield from _azure(job, "steps", keys.AZURE_STEP)
        for job in _entries(document, "jobs"):
            yield from _azure(job, "steps", keys.AZURE_STEP)


def _azure(owner: Any, name: str, known: tuple[str, ...]) -> Iterator[tuple[Any, tuple[str, ...]]]:
    return ((each, known) for each in _entries(owner, name))


def _entries(owner: Any, name: str) -> list[Any]:
    found = owner.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
