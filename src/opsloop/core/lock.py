"""Who holds a data folder: one running platform at a time.

The holder keeps an advisory lock on `workspace.lock` and writes into it who it is and where it answers. The operating
system drops the lock when the process ends, however it ends, so that there are no stale locks to clean up.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from opsloop.core.errors import Conflict, Failed

NAME = "workspace.lock"
_TRIES = 20
_PAUSE_S = 0.01


class FolderHeld(Conflict):
    template = (
        "the data folder {folder} is held by process {pid}{at}; use that one, stop it (kill {pid}), "
        "or choose another folder with OPSLOOP_DATA_DIR"
    )


class DataFolderUnusable(Failed):
    template = (
        "the data folder {folder} cannot be used: {reason}; put that right, or choose another with OPSLOOP_DATA_DIR"
    )


@dataclass(frozen=True, slots=True)
class Holder:
    pid: int
    url: str | None


class FolderLock:
    """The lock itself: `with FolderLock.take(folder) as lock: lock.announce(url)`."""

    def __init__(self, handle: int, path: Path) -> None:
        self._handle = handle
        self._path = path

    @classmethod
    def take(cls, folder: Path) -> FolderLock:
        """Hold the folder. Raises: FolderHeld naming who does, DataFolderUnusable."""
        path = folder / NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DataFolderUnusable(folder=folder, reason=error.strerror) from error
        if not _locked(handle):
            os.close(handle)
            found = _read(path)
            at = f" (it answers at {found.url})" if found.url else ""
            raise FolderHeld(folder=folder, pid=found.pid, at=at, url=found.url)
        lock = cls(handle, path)
        lock.announce(None)
        return lock

    def announce(self, url: str | None) -> None:
        """Say where this process answers. Raises: DataFolderUnusable."""
        content = json.dumps({"pid": os.getpid(), "url": url}).encode()
        try:
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, content, 0)
        except OSError as error:
            raise DataFolderUnusable(folder=self._path.parent, reason=error.strerror) from error

    def release(self) -> None:
        os.ftruncate(self._handle, 0)
        os.close(self._handle)

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def holder_of(folder: Path) -> Holder | None:
    """Who holds a folder now, or None."""
    try:
        handle = os.open(folder / NAME, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(folder / NAME)
    finally:
        os.close(handle)
    return None


def _locked(handle: int) -> bool:
    """Whether the lock could be had. Who only asks for the holder has it for a moment, and is waited for."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_S)
        else:
            return True
    return False


def _read(path: Path) -> Holder:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
        return Holder(pid=int(found["pid"]), url=found["url"])
    except (OSError, ValueError, TypeError, KeyError):
        return Holder(pid=0, url=None)
