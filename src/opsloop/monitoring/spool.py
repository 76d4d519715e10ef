"""The write-ahead spool: records that are acknowledged and not in the database yet.

`append` hands a record to the operating system with one write before the answer is sent, so a record outlives SIGKILL.
`take` closes what was written so far and gives it out as a batch; `done` removes it once the database has it. What a
dead process left behind is found by `left_behind` and stored again; a record is stored once however often it arrives.

What can go wrong, and what happens then:

- the process is killed: every acknowledged record is in a segment; the next start stores it.
- the machine loses power: records of the last moments before it may be gone. They are safe once they are in the
  database, normally within `records_flush_s`; segments that have to wait for a database that is away are forced to disk
  (fsync) when they are closed, at the same pace.
- the disk is full or unwritable: records wait in memory, at most MEMORY_RECORDS of them; they do not outlive a crash.
  Once the disk takes them they are written to it, also while the database is away.
- the database is away for long: segments gather up to `limit_bytes`. Then, as in memory, further records are dropped,
  counted, and a line in the log says so. Answers go on in all of these cases.

Each segment is locked (flock) by its writer for as long as it lives, so that two processes on one folder never take
each other's. Of many that wait, only the first ones are held open and locked: a process may have about a thousand open
files, and the gateway needs them for its callers. Should another process take one of the others, it stores that one.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from opsloop.core.lock import DataFolderUnusable
from opsloop.monitoring.frames import Damaged, framed, unframed
from opsloop.monitoring.models import RequestRecord

log = structlog.get_logger()
MEMORY_RECORDS = 10_000
# A batch is one transaction; larger ones would hold the database's write lock for long.
BATCH_RECORDS = 2_000
OPEN_SEGMENTS = 64
SUFFIX = ".records"

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(RequestRecord)


@dataclass(frozen=True, slots=True)
class Batch:
    """Records in the order of their arrival and the segment that holds them; None for those in memory only."""

    records: list[RequestRecord]
    segment: Segment | None


class Segment:
    """One file of the spool, locked while this process lives, or until it is removed or parked."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self.handle = handle
        self.is_parked = False
        self.size_bytes = 0
        self.count = 0

    @classmethod
    def new(cls, path: Path) -> Segment:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return cls(path, handle)

    @classmethod
    def adopt(cls, path: Path) -> Segment | None:
        """A segment whose writer is dead, or None."""
        try:
            handle = os.open(path, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        segment = cls(path, handle)
        segment.size_bytes = os.fstat(handle).st_size
        return segment

    def write(self, lines: bytes, count: int = 1) -> None:
        """Raises: OSError; the segment then ends with its last whole line, or with a torn one."""
        if os.write(self.handle, lines) == len(lines):
            self.size_bytes += len(lines)
            self.count += count
            return
        os.ftruncate(self.handle, self.size_bytes)
        raise OSError("the disk took a part of the line only")

    def records(self) -> Iterator[RequestRecord | Damaged]:
        with open(self.handle, "rb", closefd=False) as file:
            file.seek(0)
            for payload in unframed(file):
                yield payload if isinstance(payload, Damaged) else _decoded(payload)

    def remove(self) -> None:
        # Unlinked while locked: nobody else can find it and then lose it.
        self.path.unlink(missing_ok=True)
        os.close(self.handle)

    def set_aside(self) -> None:
        """Keep it for a person to look at; no start reads it again."""
        self.path.rename(self.path.with_suffix(".refused"))
        os.close(self.handle)

    def close(self) -> None:
        """Let another process, or the next start, have it."""
        if not self.is_parked:
            os.close(self.handle)

    def park(self) -> None:
        """Hold no file open for it until its turn comes."""
        os.close(self.handle)
        self.is_parked = True

    def reopen(self) -> bool:
        """Take it up again; False when another process did so first. Raises: OSError."""
        found = Segment.adopt(self.path)
        if found is not None:
            self.handle, self.is_parked = found.handle, False
        return found is not None


def _line(record: RequestRecord) -> bytes:
    payload = _encoder.encode(record)
    if b"\n" in payload:  # rows as a caller wrote them, on several lines; between tokens a space says the same
        payload = payload.replace(b"\n", b" ")
    return framed(payload)


def _decoded(payload: bytes) -> RequestRecord | Damaged:
    try:
        return _decoder.decode(payload)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return Damaged(len(payload))


class Spool:
    """Args:
    folder: of the segments; made when missing.
    name: of this writer, new at every start; part of the file names.
    limit_bytes: of all segments together.
    """

    def __init__(self, folder: Path, *, name: str, limit_bytes: int) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataFolderUnusable(folder=folder, reason=error.strerror) from error
        self._folder = folder
        self._name = name
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._number = 0
        self._segment: Segment | None = None
        self._records: list[RequestRecord] = []
        # Closed segments, oldest first; their records are read from disk when their turn comes.
        self._closed: list[Segment] = []
        self._closed_bytes = 0
        self._in_memory: list[RequestRecord] = []
        self._complained = False
        self.lost = 0

    @property
    def waiting(self) -> int:
        """Records of this process that were not given out yet."""
        return len(self._records) + len(self._in_memory) + sum(segment.count for segment in self._closed)

    def append(self, record: RequestRecord) -> None:
        """Keep a record; it survives SIGKILL when this returns. Never raises, never waits for the database."""
        self.extend((record,))

    def extend(self, records: Sequence[RequestRecord]) -> None:
        """Keep several records with one write, as `append` keeps one."""
        if not records:
            return
        lines = b"".join([_line(record) for record in records])
        with self._lock:
            try:
                self._write(lines, len(records))
            except OSError as error:
                for record in records:
                    self._keep_in_memory(record, error)
            else:
                self._records.extend(records)

    def _write(self, lines: bytes, count: int) -> None:
        if self._closed_bytes + (self._segment.size_bytes if self._segment else 0) > self._limit_bytes:
            raise OSError(f"the spool is over its limit of {self._limit_bytes} bytes")
        if self._segment is not None and len(self._records) >= BATCH_RECORDS:
            self._close_segment()
        if self._segment is None:
            self._number += 1
            self._segment = Segment.new(self._folder / f"{self._name}-{self._number:08d}{SUFFIX}")
        self._segment.write(lines, count)

    def _keep_in_memory(self, record: RequestRecord, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            log.error("spool_unwritable", folder=str(self._folder), reason=str(error), kept_in_memory=MEMORY_RECORDS)
        if len(self._in_memory) < MEMORY_RECORDS:
            self._in_memory.append(record)
        else:
            self.lost += 1

    def _close_segment(self) -> None:
        """The active segment joins those that wait."""
        assert self._segment is not None
        self._wait(self._segment)
        self._segment, self._records = None, []

    def _wait(self, segment: Segment) -> None:
        """Put a segment at the end of those that wait."""
        if len(self._closed) >= OPEN_SEGMENTS:
            segment.park()
        self._closed.append(segment)
        self._closed_bytes += segment.size_bytes

    def take(self) -> Batch | None:
        """The oldest records that wait, at most a segment of them; None when there are none."""
        with self._lock:
            oldest = self._next_closed()
            if oldest is None:
                return self._newest()
        return Batch(_read(oldest), oldest)

    def _newest(self) -> Batch | None:
        """What is in memory only, then what is being written."""
        if self._in_memory:
            records, self._in_memory = self._in_memory, []
            return Batch(records, None)
        if self._segment is None:
            return None
        segment, records = self._segment, self._records
        self._segment, self._records = None, []
        self._closed_bytes += segment.size_bytes
        return Batch(records, segment)

    def _next_closed(self) -> Segment | None:
        """The oldest that waits and that no other process has taken meanwhile."""
        while self._closed:
            segment = self._closed[0]
            is_ours = not segment.is_parked or segment.reopen()
            del self._closed[0]
            if is_ours:
                return segment
            self._closed_bytes -= segment.size_bytes
        return None

    def done(self, batch: Batch) -> None:
        """The database has these: forget them."""
        if batch.segment is not None:
            batch.segment.remove()
        self._settle(batch)

    def refused(self, batch: Batch, count: int) -> None:
        """The database will never take `count` of these: they stay on disk for a person, and are not tried again."""
        if batch.segment is not None:
            batch.segment.set_aside()
        self.lost += count
        self._settle(batch)

    def _settle(self, batch: Batch) -> None:
        with self._lock:
            if batch.segment is not None:
                self._closed_bytes -= batch.segment.size_bytes
            self._complained = False

    def put_back(self, batch: Batch) -> None:
        """The database did not take these: they wait at the front, on disk and not in memory."""
        if batch.segment is not None:
            with suppress(OSError):  # a disk that cannot do that has been complained about
                os.fsync(batch.segment.handle)
        with self._lock:
            if batch.segment is not None:
                self._closed.insert(0, batch.segment)
                return
            room = MEMORY_RECORDS - len(self._in_memory)
            self._in_memory = batch.records[:room] + self._in_memory
            self.lost += max(0, len(batch.records) - room)
            self._spill()

    def _spill(self) -> None:
        """What only the memory holds goes to disk once the disk takes it again: the database may be away longer."""
        while self._in_memory:
            records = self._in_memory[:BATCH_RECORDS]
            try:
                self._write(b"".join([_line(record) for record in records]), len(records))
            except OSError:
                return  # complained about when they came
            self._records.extend(records)
            del self._in_memory[:BATCH_RECORDS]

    def left_behind(self) -> int:
        """Take over the segments of writers that are dead; returns how many."""
        count = 0
        with self._lock:
            later, self._closed = self._closed, []
            own = {segment.path for segment in later}
            for path in sorted(self._folder.glob(f"*{SUFFIX}")):
                segment = _left_behind(path) if path not in own else None
                if segment is not None:
                    self._wait(segment)
                    count += 1
            self._closed += later
        return count

    def close(self) -> None:
        """Leave what waits on disk to the next start; what only the memory holds is lost, and told."""
        with self._lock:
            self._spill()
            if self._in_memory:
                log.error("records_lost", records=len(self._in_memory), folder=str(self._folder))
                self.lost += len(self._in_memory)
                self._in_memory = []
            if self._segment is not None:
                self._close_segment()
            for segment in self._closed:
                segment.close()
            self._closed = []


def _left_behind(path: Path) -> Segment | None:
    """A segment of a dead writer; what cannot be opened is told, and must not keep the others back."""
    try:
        return Segment.adopt(path)
    except OSError as error:
        log.error("spool_segment_unreadable", segment=path.name, reason=error.strerror)
        return None


def _read(segment: Segment) -> list[RequestRecord]:
    found = list(segment.records())
    damaged = sum(isinstance(each, Damaged) for each in found)
    if damaged:
        log.warning("spool_lines_damaged", segment=segment.path.name, lines=damaged)
    return [each for each in found if isinstance(each, RequestRecord)]
