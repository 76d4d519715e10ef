from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from opsloop.monitoring import spool as spools
from opsloop.monitoring.models import RequestRecord
from opsloop.monitoring.spool import BATCH_RECORDS, MEMORY_RECORDS, Spool

AT = datetime(2027, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)


def record(number: int) -> RequestRecord:
    return RequestRecord(
        request_id=f"req_{number}",
        endpoint="chat",
        release="rel_1",
        arm="stable",
        subject="5ub",
        started_at=AT,
        duration_ms=1.5,
        status="ok",
    )


def opened(folder: Path, *, name: str = "a", limit_bytes: int = 1_000_000_000) -> Spool:
    return Spool(folder, name=name, limit_bytes=limit_bytes)


def ids(records: list[RequestRecord]) -> list[str]:
    return [found.request_id for found in records]


def test_records_come_out_as_they_went_in_and_their_file_goes(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for number in range(3):
        spool.append(record(number))
    batch = spool.take()
    assert batch is not None
    assert batch.records == [record(0), record(1), record(2)]
    spool.done(batch)
    assert spool.take() is None
    assert list(tmp_path.iterdir()) == []


def test_an_appended_record_is_in_the_file_before_append_returns(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.append(record(1))
    (segment,) = tmp_path.iterdir()
    assert msgspec.json.decode(segment.read_bytes()[9:], type=RequestRecord) == record(1)


def test_a_later_writer_finds_what_a_dead_one_left(tmp_path: Path) -> None:
    dead = opened(tmp_path)
    dead.append(record(1))
    dead.append(record(2))
    dead.close()  # the lock goes with the process
    spool = opened(tmp_path, name="b")
    assert spool.left_behind() == 1
    batch = spool.take()
    assert batch is not None
    assert batch.records == [record(1), record(2)]


def test_a_living_writers_segment_is_left_alone(tmp_path: Path) -> None:
    living = opened(tmp_path)
    living.append(record(1))
    spool = opened(tmp_path, name="b")
    assert spool.left_behind() == 0
    assert spool.take() is None


def test_a_torn_last_line_is_skipped_and_told(tmp_path: Path) -> None:
    dead = opened(tmp_path)
    dead.append(record(1))
    dead.append(record(2))
    dead.close()
    (segment,) = tmp_path.iterdir()
    segment.write_bytes(segment.read_bytes()[:-5])
    spool = opened(tmp_path, name="b")
    spool.left_behind()
    with capture_logs() as logs:
        batch = spool.take()
    assert batch is not None
    assert batch.records == [record(1)]
    assert [line["event"] for line in logs] == ["spool_lines_damaged"]


def test_what_the_database_did_not_take_comes_first_again(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.append(record(1))
    first = spool.take()
    assert first is not None
    spool.append(record(2))
    spool.put_back(first)
    again, then = spool.take(), spool.take()
    assert again is not None
    assert then is not None
    assert ids(again.records) == ["req_1"]
    assert ids(then.records) == ["req_2"]


def test_a_batch_is_bounded_and_the_order_kept(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for number in range(BATCH_RECORDS + 5):
        spool.append(record(number))
    first, second = spool.take(), spool.take()
    assert first is not None
    assert second is not None
    assert len(first.records) == BATCH_RECORDS
    assert ids(second.records) == [f"req_{number}" for number in range(BATCH_RECORDS, BATCH_RECORDS + 5)]
    assert spool.waiting == 0


def test_a_full_disk_keeps_records_in_memory_up_to_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = opened(tmp_path)
    monkeypatch.setattr(os, "write", _disk_is_full)
    with capture_logs() as logs:
        for number in range(MEMORY_RECORDS + 7):
            spool.append(record(number))
    assert [line["event"] for line in logs] == ["spool_unwritable"]
    assert spool.waiting == MEMORY_RECORDS
    assert spool.lost == 7
    empty_file = spool.take()
    assert empty_file is not None
    spool.done(empty_file)
    batch = spool.take()
    assert batch is not None
    assert len([*empty_file.records, *batch.records]) == MEMORY_RECORDS


def test_what_only_the_memory_held_at_the_end_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = opened(tmp_path)
    monkeypatch.setattr(os, "write", _disk_is_full)
    spool.append(record(1))
    with capture_logs() as logs:
        spool.close()
    assert [(line["event"], line["records"]) for line in logs] == [("records_lost", 1)]
    assert spool.lost == 1


def test_records_of_a_full_disk_go_to_it_once_it_has_room_while_the_database_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = opened(tmp_path)
    with monkeypatch.context() as full:
        full.setattr("opsloop.monitoring.spool.os.write", _disk_is_full)
        spool.append(record(1))
        spool.append(record(2))
    batch = spool.take()
    assert batch is not None
    assert batch.segment is None
    spool.put_back(batch)
    # Nothing is closed or said: as after SIGKILL, only the files are left.
    [segment] = tmp_path.glob("*.records")
    assert segment.read_bytes().count(b"\n") == 2
    again = spool.take()
    assert again is not None
    assert ids(again.records) == ids([record(1), record(2)])
    assert again.segment is not None
    assert spool.take() is None


def _disk_is_full(_handle: int, _data: bytes) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_line_written_in_part_does_not_spoil_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = opened(tmp_path)
    spool.append(record(1))
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: write(handle, data[:10]))
        spool.append(record(2))
    spool.append(record(3))
    spool.close()
    later = opened(tmp_path, name="b")
    later.left_behind()
    batch = later.take()
    assert batch is not None
    # The second waited in memory, and was written when the spool was closed.
    assert ids(batch.records) == ["req_1", "req_3", "req_2"]


def test_a_spool_over_its_limit_takes_no_more_on_disk(tmp_path: Path) -> None:
    spool = opened(tmp_path, limit_bytes=1_000)
    with capture_logs() as logs:
        for number in range(20):
            spool.append(record(number))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1_300
    assert logs[0]["event"] == "spool_unwritable"
    assert spool.waiting == 20


def test_refused_records_stay_on_disk_and_are_not_read_again(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.append(record(1))
    batch = spool.take()
    assert batch is not None
    spool.refused(batch, 1)
    assert spool.lost == 1
    assert [path.suffix for path in tmp_path.iterdir()] == [".refused"]
    assert opened(tmp_path, name="b").left_behind() == 0


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "BATCH_RECORDS", 1)
    monkeypatch.setattr(spools, "OPEN_SEGMENTS", 3)


def open_files(folder: Path) -> int:
    handles = [Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd")]
    return sum(handle.is_symlink() and handle.readlink().is_relative_to(folder) for handle in handles)


def taken(spool: Spool) -> list[str]:
    """Everything that waits, stored batch by batch."""
    found = []
    while (batch := spool.take()) is not None:
        found += ids(batch.records)
        spool.done(batch)
    return found


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files as Linux lists them")
@pytest.mark.usefixtures("small_segments")
def test_segments_that_wait_for_long_do_not_use_up_the_files_a_process_may_open(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for number in range(20):
        spool.append(record(number))
    assert open_files(tmp_path) <= 4
    spool.close()
    after = opened(tmp_path, name="b")
    assert after.left_behind() == 20
    assert open_files(tmp_path) <= 3
    after.append(record(20))
    assert taken(after) == [f"req_{number}" for number in range(21)]
    assert list(tmp_path.iterdir()) == []
    assert open_files(tmp_path) == 0


@pytest.mark.usefixtures("small_segments")
def test_a_segment_that_another_process_took_meanwhile_is_left_to_it(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for number in range(6):
        spool.append(record(number))
    other = opened(tmp_path, name="b")
    assert other.left_behind() == 2
    assert sorted(taken(spool) + taken(other)) == [f"req_{number}" for number in range(6)]
    assert list(tmp_path.iterdir()) == []


def test_rows_that_a_caller_wrote_on_several_lines_are_one_line_here(tmp_path: Path) -> None:
    dead = opened(tmp_path)
    rows = msgspec.Raw(b"[\n  [5.1,\r\n   3.5]\n]")
    dead.append(msgspec.structs.replace(record(1), rows=1, inputs=rows))
    dead.append(record(2))
    dead.close()
    spool = opened(tmp_path, name="b")
    spool.left_behind()
    batch = spool.take()
    assert batch is not None
    assert [msgspec.json.decode(found.inputs) for found in batch.records] == [[[5.1, 3.5]], None]
