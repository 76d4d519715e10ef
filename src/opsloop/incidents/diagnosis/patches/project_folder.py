"""A step that found no project, in a job whose other steps all work in one folder, works there too."""

from __future__ import annotations

from typing import Any

from opsloop.incidents.diagnosis.known import Match
from opsloop.incidents.diagnosis.patches.jobs import failing_jobs, is_step, steps_of
from opsloop.incidents.diagnosis.patches.working_directory import NAME
from opsloop.incidents.diagnosis.ranking import failing_step
from opsloop.incidents.diagnosis.scanning import Scan

KIND = "checkout"


def mend(document: Any, match: Match, scan: Scan) -> bool:
    failed = failing_step(scan)
    if failed is None:
        return False
    for job in failing_jobs(document, failed.name):
        steps = [each for each in steps_of(job) if isinstance(each, dict) and "run" in each]
        mine = [each for each in steps if is_step(each, failed.name)]
        folders = {str(each[NAME]) for each in steps if NAME in each and each not in mine}
        if len(mine) == 1 and NAME not in mine[0] and len(folders) == 1 and "defaults" not in job:
            mine[0][NAME] = next(iter(folders))
            return True
    return False
