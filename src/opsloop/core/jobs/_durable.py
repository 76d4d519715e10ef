"""The workflow that DBOS keeps: one per attempt of a job.

Imported only by processes that run jobs: DBOS costs 0.6 s to import. The workflow's arguments are ids; what the job is
and how far it came stands in our own tables.
"""

from __future__ import annotations

import sqlite3
import threading
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import structlog
from dbos import DBOS, DBOSConfig, SetWorkflowID

from opsloop.core.workspace import Workspace

log = structlog.get_logger()
Execute = Callable[[str], None]
# DBOS keeps one instance a process. Two runners of one process share it, and each job goes to the runner that took it.
_lock = threading.Lock()
_executes: dict[str, Execute] = {}
_is_launched = False


@DBOS.workflow(name="opsloop.job")
def run_job(engine: str, job_id: str) -> None:
    execute = _executes.get(engine)
    if execute is not None:  # else its process ended: the one after takes the job over, as a new attempt
        execute(job_id)


class Engine:
    """DBOS on the state database's server, or on a SQLite file beside the state."""

    def __init__(self, workspace: Workspace, execute: Execute) -> None:
        self._name = uuid.uuid4().hex
        with _lock:
            if not _is_launched:
                _launch(workspace)
            _executes[self._name] = execute

    def start(self, job_id: str, attempt: int) -> None:
        """Run an attempt; asking twice for the same one runs it once."""
        with SetWorkflowID(f"{job_id}.{attempt}"):
            DBOS.start_workflow(run_job, self._name, job_id)

    def stop(self, *, is_broken: bool = False) -> None:
        """Args: is_broken: it takes no jobs; DBOS is ended whoever else uses it, and the next that does begins anew."""
        global _is_launched  # as DBOS itself: one a process
        with _lock:
            _executes.pop(self._name, None)
            if is_broken or not _executes:
                _is_launched = False
                DBOS.destroy(workflow_completion_timeout_sec=0)


def _launch(workspace: Workspace) -> None:
    global _is_launched
    if workspace.database.is_sqlite:
        _set_aside_damaged(_file(workspace), name=f"jobs.db.damaged-{workspace.clock.now():%Y%m%dT%H%M%SZ}")
    config: DBOSConfig = {
        "name": "opsloop",
        "system_database_url": _system_database_url(workspace),
        # Jobs are idempotent and their state is ours: an attempt may go on under newer code.
        "application_version": "opsloop",
        "executor_id": "local",
        "log_level": "ERROR",
        "enable_otlp": False,
    }
    DBOS.destroy()  # what could not be ended before would be taken for this one
    DBOS(config=config)
    try:
        DBOS.launch()
    except BaseException:
        DBOS.destroy()  # else the next try would find it launched, without its tables
        raise
    _is_launched = True


def _system_database_url(workspace: Workspace) -> str:
    if workspace.database.is_sqlite:
        return f"sqlite:///{_file(workspace)}"
    return workspace.database.url.set(drivername="postgresql").render_as_string(hide_password=False)


def _file(workspace: Workspace) -> Path:
    return workspace.data_dir / "jobs.db"


def _set_aside_damaged(file: Path, *, name: str) -> None:
    """Begin with a new file when this one is damaged: what the jobs are, and how far, stands in the state database."""
    reason = _damage(file)
    if reason is None:
        return
    aside = file.rename(file.with_name(name))
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    log.warning("jobs_file_set_aside", file=str(file), kept_as=str(aside), reason=reason)


def _damage(file: Path) -> str | None:
    if not file.exists():
        return None
    try:
        with closing(sqlite3.connect(file)) as connection:
            [found] = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:  # locked or unreadable, which is not damage
        return None
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if found == "ok" else str(found)
