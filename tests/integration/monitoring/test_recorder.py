from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from opsloop.core.caller import Caller
from opsloop.core.db.database import DatabaseCorrupt
from opsloop.core.errors import OpsloopError
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.workspace import Workspace
from opsloop.monitoring import metrics, records
from opsloop.monitoring.models import RequestRecord
from opsloop.monitoring.recorder import FOLDER, Recorder


def record(workspace: Workspace, number: int, engine: str = "flow") -> RequestRecord:
    return RequestRecord(
        request_id=f"req_{number}",
        endpoint="chat",
        release="rel_1",
        arm="stable",
        subject="5ub",
        started_at=workspace.clock.now(),
        duration_ms=1.5,
        status="ok",
        engine=engine,
    )


def stored(workspace: Workspace, by: Caller) -> list[str]:
    with workspace.reading(by) as uow:
        return [found.request_id for _, found in records.since(uow, "chat", None, limit=10_000)]


def spooled(workspace: Workspace) -> list[Path]:
    return sorted((workspace.data_dir / FOLDER).iterdir())


def test_records_reach_the_database_and_leave_the_spool(workspace: Workspace, admin: Caller) -> None:
    recorder = Recorder(workspace)
    recorder.start()
    for number in range(50):
        recorder.record(record(workspace, number))
    recorder.stop()
    assert stored(workspace, admin) == [f"req_{number}" for number in range(50)]
    assert spooled(workspace) == []


def test_a_record_arrives_without_anybody_stopping(workspace: Workspace, admin: Caller) -> None:
    recorder = Recorder(workspace)
    recorder.start()
    recorder.record(record(workspace, 1))
    assert workspace.bell("records").wait(timeout_s=60)
    assert stored(workspace, admin) == ["req_1"]
    recorder.stop()


def test_the_next_start_stores_what_a_dead_process_left_exactly_once(workspace: Workspace, admin: Caller) -> None:
    dead = Recorder(workspace)
    for number in range(5):
        dead.record(record(workspace, number))
    with workspace.writing(admin) as uow:  # it died between the commit and removing the file
        records.ingest(uow, [record(workspace, 0), record(workspace, 1)])
    dead._spool.close()  # the lock goes with the process
    recorder = Recorder(workspace)
    recorder.start()
    recorder.stop()
    assert sorted(stored(workspace, admin)) == [f"req_{number}" for number in range(5)]
    assert spooled(workspace) == []


def test_while_the_database_is_away_records_wait_on_disk(sqlite_workspace: Workspace, admin: Caller) -> None:
    recorder = Recorder(sqlite_workspace)
    recorder.record(record(sqlite_workspace, 1))
    sqlite_workspace.close()
    state = sqlite_workspace.data_dir / "state.db"
    for path in (state, Path(f"{state}-wal"), Path(f"{state}-shm")):
        if path.exists():
            path.rename(path.with_name(path.name.replace("state", "away")))
    state.mkdir()  # cannot be opened as a database
    assert not recorder.flush()
    recorder.record(record(sqlite_workspace, 2))
    assert len(spooled(sqlite_workspace)) == 2
    state.rmdir()
    (sqlite_workspace.data_dir / "away.db").rename(state)
    assert recorder.flush()
    assert stored(sqlite_workspace, admin) == ["req_1", "req_2"]
    assert spooled(sqlite_workspace) == []


def test_one_record_the_database_cannot_hold_does_not_stop_the_others(
    postgres_url: str, tmp_path: Path, admin: Caller
) -> None:
    workspace = open_workspace(CoreSettings(data_dir=tmp_path / "data", database_url=postgres_url))
    recorder = Recorder(workspace)
    recorder.record(record(workspace, 1))
    recorder.record(record(workspace, 2, engine="a NUL \0 that PostgreSQL refuses"))
    recorder.record(record(workspace, 3))
    assert recorder.flush()
    assert stored(workspace, admin) == ["req_1", "req_3"]
    assert [path.suffix for path in spooled(workspace)] == [".refused"]
    workspace.close()


def test_every_record_is_counted_in_the_metrics(sqlite_workspace: Workspace) -> None:
    labels = {"endpoint": "chat", "release": "rel_1", "arm": "stable"}
    before = _sample(metrics.REGISTRY, "inference_requests_total", {**labels, "status": "ok"})
    recorder = Recorder(sqlite_workspace)
    recorder.record(record(sqlite_workspace, 1))
    recorder.flush()
    assert _sample(metrics.REGISTRY, "inference_requests_total", {**labels, "status": "ok"}) == before + 1
    assert _sample(metrics.REGISTRY, "inference_latency_seconds_count", labels) >= 1
    text_format = metrics.render().decode()
    for name in ("inference_requests_total", "inference_latency_seconds_bucket", "drift_events_total"):
        assert name in text_format


def _sample(registry: CollectorRegistry, name: str, labels: dict[str, str]) -> float:
    return registry.get_sample_value(name, labels) or 0.0


def test_records_are_numbered_in_the_order_in_which_they_become_visible(
    postgres_url: str, tmp_path: Path, admin: Caller
) -> None:
    workspace = open_workspace(CoreSettings(data_dir=tmp_path / "data", database_url=postgres_url))
    with workspace.writing(admin) as first:
        records.ingest(first, [record(workspace, 1)])
        with pytest.raises(OpsloopError, match="lock timeout"):
            _ingest_impatiently(workspace, admin, record(workspace, 2))
    assert stored(workspace, admin) == ["req_1"]
    workspace.close()


def _ingest_impatiently(workspace: Workspace, by: Caller, second: RequestRecord) -> None:
    with workspace.writing(by) as uow:
        uow.session.execute(text("SET LOCAL lock_timeout = '20ms'"))
        records.ingest(uow, [second])


def test_records_wait_for_a_database_that_is_damaged(
    sqlite_workspace: Workspace, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(sqlite_workspace)
    recorder.record(record(sqlite_workspace, 1))
    with monkeypatch.context() as patched:
        patched.setattr(records, "ingest", _is_damaged)
        assert not recorder.flush()
        recorder.stop()
    assert [path.suffix for path in spooled(sqlite_workspace)] == [".records"]
    later = Recorder(sqlite_workspace)
    later.start()
    later.stop()
    assert stored(sqlite_workspace, admin) == ["req_1"]


def _is_damaged(*_: object) -> None:
    raise DatabaseCorrupt(where="state.db", reason="database disk image is malformed")
