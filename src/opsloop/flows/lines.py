"""A file of JSON lines that outlives a kill: the system has a line before whoever wrote it goes on, or the disk has it.

Lines that are ready together share one write and one fsync, so that they cost little. Each ends in a checksum; the
first says what the file is. One process at a time holds a file (flock, which the system drops when the process ends).

What can go wrong, and what happens then:

- killed in a write: the cut line at the end is dropped at the next start; nobody had gone on because of it.
- the disk is full: what part of a line was written is taken back, and who waits for it gets `LinesUnwritable`.
- a damaged line in the middle: it is counted in `damaged` and the lines around it are kept.
- a second process: `LinesHeld`, with the first one's number. A file that holds something else: `NotLines`.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from opsloop.core.errors import Conflict, Failed
from opsloop.flows.values import journalled

_CHECK = b',"crc":"%08x"}'
_CHECK_BYTES = len(_CHECK % 0)
_TRIES = 20
_PAUSE_S = 0.01
Entry = dict[str, Any]


class LinesHeld(Conflict):
    template = "{path} is in use by {holder}; wait until that has ended, or stop it"


class NotLines(Conflict):
    template = "{path} is no {kind}: no line of it says so; name another file"


class LinesUnwritable(Failed):
    template = "{path} cannot be written: {reason}; what it holds already is kept: put that right and start again"


class Lines:
    """An open file of lines; use it as an async context manager.

    Args:
        kind: what the file is, as its first line says: `journal`.
        header: what else the first line says.
        check: given the first line of a file that is there; raises when the file is of something else.
    """

    def __init__(
        self, path: Path, kind: str, header: Mapping[str, Any], *, check: Callable[[Entry], None] | None = None
    ) -> None:
        self.path = path
        self.kind = kind
        self.header = {kind: 1, **header}
        self.entries: list[Entry] = []
        """What was in the file when it was opened."""
        self.damaged = 0
        """How many lines of it could not be read."""
        self._check = check
        self._loop: asyncio.AbstractEventLoop | None = None
        self._file: int | None = None
        self._waiting: list[bytes] = []
        self._handed_over: asyncio.Future[None] | None = None
        self._written: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Raises: LinesHeld, NotLines, LinesUnwritable, and what `check` raises."""
        self._loop = asyncio.get_running_loop()
        opening = asyncio.create_task(asyncio.to_thread(self._open))
        try:
            await asyncio.shield(opening)
        except BaseException:
            await asyncio.gather(opening, return_exceptions=True)  # the thread goes on, and opens the file
            self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            if self._writer is not None:
                await asyncio.gather(self._writer, return_exceptions=True)
        finally:
            self._close()

    @property
    def is_closed(self) -> bool:
        return self._file is None

    async def write(self, entry: Mapping[str, Any]) -> None:
        """Returns once the entry is on the disk; from any thread with a loop. Raises: LinesUnwritable."""
        await self._add(entry, on_disk=True)

    async def hand_over(self, entry: Mapping[str, Any]) -> None:
        """Returns once the system has the entry, which outlives a kill and not a cut of power. Raises: as `write`."""
        await self._add(entry, on_disk=False)

    async def _add(self, entry: Mapping[str, Any], *, on_disk: bool) -> None:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # a user's synchronous code waits for its model on another loop
            assert self._loop is not None
            adding = self._add(entry, on_disk=on_disk)
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(adding, self._loop))
            return
        self._waiting.append(line_of(entry))
        self._handed_over = self._handed_over or loop.create_future()
        if on_disk:
            self._written = self._written or loop.create_future()
        done = self._written if on_disk else self._handed_over
        assert done is not None
        if self._writer is None or self._writer.done():
            self._writer = loop.create_task(self._write_all())
        await asyncio.shield(done)

    async def _write_all(self) -> None:
        while self._waiting:
            lines, self._waiting = self._waiting, []
            handed_over, self._handed_over = self._handed_over, None
            written, self._written = self._written, None
            try:
                await asyncio.to_thread(self._append, b"".join(lines))
                _settle(handed_over)
                if written is not None:
                    await asyncio.to_thread(self._sync)
                    _settle(written)
            except LinesUnwritable as error:
                _settle(handed_over, error)
                _settle(written, error)

    def _open(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise self._unwritable(error) from error
        self._lock()
        whole = self._read()
        os.ftruncate(self._file, whole)
        self._append(line_of({**self.header, "pid": os.getpid()}))
        self._sync()
        if whole == 0:
            _sync_folder(self.path.parent)

    def _lock(self) -> None:
        """Who only asks for the holder has the lock for a moment, and is waited for."""
        assert self._file is not None
        for _ in range(_TRIES):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_PAUSE_S)
            else:
                return
        raise LinesHeld(path=self.path, holder=holder_of(self.path) or "another process")

    def _read(self) -> int:
        """Take in what the file holds; where its last whole line ends, in bytes."""
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        found = [entry_of(line) for line in data[:whole].split(b"\n")[:-1]]
        headers = [entry for entry in found if entry is not None and self.kind in entry]
        if data and not headers and not self._is_cut_header(data):
            raise NotLines(path=self.path, kind=self.kind)
        if headers and self._check is not None:
            self._check(headers[0])
        self.entries = [entry for entry in found if entry is not None and self.kind not in entry]
        self.damaged = sum(entry is None for entry in found)
        return whole

    def _is_cut_header(self, data: bytes) -> bool:
        return b"\n" not in data and line_of(self.header).startswith(data[: len(self.kind) + 4])

    def _append(self, data: bytes) -> None:
        assert self._file is not None
        end = os.lseek(self._file, 0, os.SEEK_END)
        try:
            self._put(data)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file, end)
            raise self._unwritable(error) from error

    def _sync(self) -> None:
        assert self._file is not None
        try:
            os.fsync(self._file)
        except OSError as error:
            raise self._unwritable(error) from error

    def _put(self, data: bytes) -> None:
        assert self._file is not None
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def _unwritable(self, error: OSError) -> LinesUnwritable:
        return LinesUnwritable(path=self.path, reason=error.strerror or str(error))

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _settle(future: asyncio.Future[None] | None, error: LinesUnwritable | None = None) -> None:
    if future is None or future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
        future.exception()  # whoever waited may be cancelled by now; that is no error left unseen


def line_of(entry: Mapping[str, Any]) -> bytes:
    """An entry as one line with its checksum."""
    text = json.dumps(journalled(entry), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return text[:-1] + _CHECK % zlib.crc32(text) + b"\n"


def entry_of(line: bytes) -> Entry | None:
    """The entry of a line without its end, or None when the line is damaged."""
    text = line[:-_CHECK_BYTES] + b"}"
    if line[-_CHECK_BYTES:] != _CHECK % zlib.crc32(text):
        return None
    found: Entry = json.loads(text.decode("utf-8", "surrogatepass"))
    return found


def holder_of(path: Path) -> str | None:
    """`process 123` when a process holds the file now."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        opened = [entry for line in path.read_bytes().split(b"\n") if (entry := entry_of(line)) and "pid" in entry]
        return f"process {opened[-1]['pid']}" if opened else "another process"
    finally:
        os.close(file)
    return None


def _sync_folder(folder: Path) -> None:
    """Have the new file's name on the disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
