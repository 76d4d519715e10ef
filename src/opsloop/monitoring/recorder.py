"""Keep the record of every request: into the spool at once, into the database a moment later."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import structlog

from opsloop.core.caller import system
from opsloop.core.db.database import DatabaseCorrupt
from opsloop.core.errors import OpsloopError, Unavailable
from opsloop.core.workspace import Workspace
from opsloop.monitoring import metrics, records
from opsloop.monitoring.models import RequestRecord
from opsloop.monitoring.settings import MonitoringSettings
from opsloop.monitoring.spool import Batch, Spool

log = structlog.get_logger()
RETRY_S = 1.0
FOLDER = "spool"
# The records are as good as they were: they wait for the database, also for one that a backup brings back.
_WAITS = (Unavailable, DatabaseCorrupt)


class Recorder:
    """The spool and the thread that empties it. `record` may be called from any thread."""

    def __init__(self, workspace: Workspace) -> None:
        settings = workspace.section(MonitoringSettings)
        self._workspace = workspace
        self._flush_s = settings.records_flush_s
        self._spool = Spool(
            workspace.data_dir / FOLDER, name=workspace.ids.new("spool"), limit_bytes=settings.spool_limit_bytes
        )
        self._lost_counted = 0
        self._is_away = False
        self._something = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def record(self, record: RequestRecord) -> None:
        """Keep a record; when this returns, it survives the death of the process."""
        self._spool.append(record)
        metrics.observe(record)
        if not self._something.is_set():
            self._something.set()

    def record_all(self, records: Sequence[RequestRecord]) -> None:
        """Keep several records with one write; when this returns, they survive the death of the process."""
        self._spool.extend(records)
        for record in records:
            metrics.observe(record)
        if not self._something.is_set():
            self._something.set()

    def start(self) -> None:
        """Store what an earlier process left behind, then what comes."""
        if self._spool.left_behind():
            self._something.set()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Store what waits; what the database does not take stays on disk for the next start."""
        self._stopping.set()
        self._something.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()
        self._spool.close()

    def flush(self) -> bool:
        """Store everything that waits; False when the database did not take it."""
        while (batch := self._spool.take()) is not None:
            if not self._store(batch):
                return False
        self._tell()
        return True

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._something.wait()
            # Records that come while waiting go into the same transaction.
            self._stopping.wait(self._flush_s)
            self._something.clear()
            if not self._flushed():
                self._stopping.wait(RETRY_S)
                self._something.set()

    def _flushed(self) -> bool:
        try:
            return self.flush()
        except Exception:  # the rim of a thread: what is on disk stays there, and the next start finds it
            log.exception("records_not_stored")
            return False

    def _store(self, batch: Batch) -> bool:
        try:
            if batch.records:  # a writer that was killed may leave a segment without any
                self._ingest(batch.records)
        except _WAITS as error:
            return self._later(batch, error)
        except Exception:  # the rim of a thread: what one record has must not hold up the others
            log.exception("records_refused", records=len(batch.records))
            return self._store_one_by_one(batch)
        self._spool.done(batch)
        if self._is_away:
            self._is_away = False
            log.info("records_stored_again")
        return True

    def _store_one_by_one(self, batch: Batch) -> bool:
        refused = 0
        for record in batch.records:
            try:
                self._ingest([record])
            except _WAITS as error:
                return self._later(batch, error)
            except Exception:  # see above
                log.exception("record_refused", request=record.request_id, record=record.key)
                refused += 1
        self._spool.refused(batch, refused)
        return True

    def _later(self, batch: Batch, error: OpsloopError) -> bool:
        if not self._is_away:  # once, not at every try
            self._is_away = True
            log.warning("records_not_stored", records=len(batch.records), reason=error.sentence)
        self._spool.put_back(batch)
        self._tell()
        return False

    def _ingest(self, batch: list[RequestRecord]) -> None:
        with self._workspace.writing(system("monitoring")) as uow:
            records.ingest(uow, batch)

    def _tell(self) -> None:
        metrics.unsent_records.set(self._spool.waiting)
        metrics.lost_records.inc(self._spool.lost - self._lost_counted)
        self._lost_counted = self._spool.lost
