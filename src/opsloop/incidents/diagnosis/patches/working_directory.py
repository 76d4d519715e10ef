"""A working directory that is not there, and nearly one that other steps name, spelt as they do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opsloop.incidents.diagnosis.known import Match
from opsloop.incidents.diagnosis.patches import keys
from opsloop.incidents.diagnosis.patches.jobs import jobs_of, steps_of
from opsloop.incidents.diagnosis.scanning import Scan

KIND = "working_directory"
NAME = "working-directory"


def mend(document: Any, match: Match, scan: Scan) -> bool:
    told = match.groups.get("path", "").rstrip("/")
    owners = list(_owners(document))
    wrong = {str(each[NAME]) for each in owners if told.endswith("/" + _plain(each[NAME]))}
    if len(wrong) != 1:
        return False
    named = next(iter(wrong))
    others = sorted({str(each[NAME]) for each in owners} - wrong)
    right = keys.nearest(named, others)
    if right is None:
        return False
    for each in owners:
        if str(each[NAME]) == named:
            each[NAME] = type(each[NAME])(right)
    return True


def _owners(document: Any) -> Iterator[Any]:
    """Steps and defaults that name a working directory."""
    for job in (document, *jobs_of(document).values()):
        defaults = job.get("defaults")
        run = defaults.get("run") if isinstance(defaults, dict) else None
        yield from (
            each for each in (run, *steps_of(job)) if isinstance(each, dict) and isinstance(each.get(NAME), str)
        )


def _plain(path: str) -> str:
    return path.strip().removeprefix("./").rstrip("/")
