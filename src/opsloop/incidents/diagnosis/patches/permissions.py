"""The one permission that the failing step needs, for its job alone."""

from __future__ import annotations

from typing import Any

from opsloop.incidents.diagnosis.known import Match
from opsloop.incidents.diagnosis.patches.jobs import failing_jobs, is_step, steps_of
from opsloop.incidents.diagnosis.ranking import failing_step
from opsloop.incidents.diagnosis.scanning import Scan

KIND = "permissions"
# What an action is known to need. For any other step a permission would be a guess, and is not given.
NEEDS = {
    "aws-actions/configure-aws-credentials": ("id-token", "write"),
    "azure/login": ("id-token", "write"),
    "google-github-actions/auth": ("id-token", "write"),
    "actions/labeler": ("pull-requests", "write"),
    "actions/stale": ("issues", "write"),
    "actions/deploy-pages": ("pages", "write"),
}


def mend(document: Any, match: Match, scan: Scan) -> bool:
    failed = failing_step(scan)
    name = failed.name if failed else None
    for job in failing_jobs(document, name):
        users = [each for each in steps_of(job) if isinstance(each, dict) and _action(each) in NEEDS]
        named = [each for each in users if is_step(each, name)] or users
        needs = {NEEDS[_action(each)] for each in named}
        if len(needs) != 1:
            return False
        scope, access = next(iter(needs))
        held = job.get("permissions")
        if held is None:
            # What the workflow gives to all jobs no longer counts for one with its own: it is taken along.
            above = document.get("permissions")
            job["permissions"] = {**(above if isinstance(above, dict) else {"contents": "read"}), scope: access}
            return True
        if isinstance(held, dict) and held.get(scope) != access:
            held[scope] = access
            return True
    return False


def _action(step: Any) -> str:
    return str(step.get("uses", "")).split("@")[0].lower()
