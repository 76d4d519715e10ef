"""The fake engine: runs due jobs in the calling thread, one after the other. For tests and one-shot local commands."""

from __future__ import annotations

import threading

from opsloop.core.jobs._execution import claim_due, execute
from opsloop.core.workspace import Workspace


def run_due(workspace: Workspace, *, kind: str | None = None) -> int:
    """Run jobs until none is due; returns how many ran.

    Args:
        kind: run jobs of this kind only; a rollout's, for one, does not end by itself.
    """
    count = 0
    while claimed := claim_due(workspace, limit=1, kind=kind):
        for job_id, _attempt in claimed:
            execute(workspace, job_id, stopping=threading.Event())
            count += 1
    return count
