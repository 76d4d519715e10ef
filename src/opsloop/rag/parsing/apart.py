"""Documents of kinds that can be crafted are read in processes of their own.

A C library that crashes, an endless loop or a document that unpacks to gigabytes then costs that process, not the
platform. A process is kept for the next document and ends when nobody asks it for a while, or when this process ends.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from typing import IO

from opsloop.core.errors import ExtraNeeded, Unavailable
from opsloop.rag.parsing import limits
from opsloop.rag.parsing.kinds import Kind
from opsloop.rag.parsing.trouble import CannotRead, damaged

READERS = min(4, os.cpu_count() or 1)
# What Python and its libraries need to start; keys and passwords are not among them.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "HOME", "LANG", "TMPDIR")
_HEAD_BYTES = 4_096
_TOO_SLOW = f"it takes more than {limits.CPU_S} s to read; split it into several files, or save it anew"


class ReadersBusy(Unavailable):
    template = "all {count} readers of documents are busy; try again in a moment"


class _Ended(Exception):
    """The process ended instead of answering, with `code`."""

    def __init__(self, code: int) -> None:
        self.code = code


class _Reader:
    """One process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # this Python, a module of ours
            [sys.executable, "-P", "-m", "opsloop.rag.parsing.child"],
            stdin=subprocess.PIPE,  # closes when this process ends, which ends that one
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            start_new_session=True,
        )

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, kind: Kind, data: bytes) -> str:
        """Raises: CannotRead, ExtraNeeded; _Ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = threading.Timer(limits.WALL_S, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            head = json.dumps({"module": kind.module, "cpu_s": limits.CPU_S, "size": len(data)}).encode()
            with contextlib.suppress(BrokenPipeError):  # it ended: reading tells that too
                self._process.stdin.write(head + b"\n" + data)
                self._process.stdin.flush()
            return self._answer(self._process.stdout, kind)
        finally:
            timer.cancel()

    def _answer(self, answers: IO[bytes], kind: Kind) -> str:
        line = answers.readline(_HEAD_BYTES)
        if not line.endswith(b"\n"):
            raise _Ended(self._process.wait())
        head = json.loads(line)
        if "missing" in head:
            raise ExtraNeeded(what=f"reading {kind.what}", extra="documents")
        if "reason" in head:
            raise CannotRead(head["reason"])
        if head["size"] > limits.MAX_TEXT_BYTES:
            raise CannotRead(f"it holds more than {limits.MAX_TEXT_BYTES:,} bytes of text; split it into several files")
        text = answers.read(head["size"])
        if len(text) < head["size"]:
            raise _Ended(self._process.wait())
        return text.decode("utf-8")

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


_slots = threading.BoundedSemaphore(READERS)
_idle: list[_Reader] = []


def text_of(kind: Kind, data: bytes) -> str:
    """Raises: CannotRead, ExtraNeeded, ReadersBusy."""
    if not _slots.acquire(timeout=limits.WALL_S):
        raise ReadersBusy(count=READERS)
    try:
        try:
            return _read(_kept() or _Reader(), kind, data)
        except _Ended as ended:
            if ended.code:
                raise _broken(ended.code, kind) from None
        # It had waited long enough and left just when it was asked.
        return _read(_Reader(), kind, data)
    except _Ended as ended:
        raise _broken(ended.code, kind) from None
    finally:
        _slots.release()


def _read(reader: _Reader, kind: Kind, data: bytes) -> str:
    is_fit = False
    try:
        text = reader.ask(kind, data)
        is_fit = True
    except (CannotRead, ExtraNeeded):
        is_fit = True
        raise
    else:
        return text
    finally:
        if is_fit:
            _idle.append(reader)
        else:
            reader.end()


def _kept() -> _Reader | None:
    """One that waits; those that left are forgotten."""
    while True:
        try:
            reader = _idle.pop()
        except IndexError:
            return None
        if reader.is_alive():
            return reader
        reader.end()


def _broken(code: int, kind: Kind) -> CannotRead:
    return CannotRead(_TOO_SLOW) if code in (-signal.SIGXCPU, -signal.SIGKILL) else damaged(kind.what)


@atexit.register
def end_all() -> None:
    """End the processes that wait."""
    while _idle:
        _idle.pop().end()


def _forget() -> None:
    """In a forked process: those of the parent are not its own."""
    global _slots
    _idle.clear()
    _slots = threading.BoundedSemaphore(READERS)


os.register_at_fork(after_in_child=_forget)
