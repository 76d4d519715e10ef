"""A process that carries repairs through, until its stdin ends: `repairer.py DATA LEDGER [DATABASE]`."""

from __future__ import annotations

import sys
from pathlib import Path

from opsloop.core.events.outbox import Dispatcher
from opsloop.core.jobs.runner import JobRunner
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.incidents import jobs as incident_jobs
from opsloop.remediation import jobs as remediation_jobs
from tests.acceptance.remediation.ledger import install

assert incident_jobs, remediation_jobs  # registers the jobs


def main(data: Path, ledger: Path, database: str | None) -> None:
    install(ledger)
    workspace = open_workspace(CoreSettings(data_dir=data, database_url=database))
    events, jobs = Dispatcher(workspace), JobRunner(workspace)
    events.start()
    jobs.start()
    print("ready", flush=True)
    sys.stdin.read()
    jobs.stop()
    events.stop()
    workspace.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
