from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from opsloop.core import lock as locks
from opsloop.core.lock import DataFolderUnusable, FolderHeld, FolderLock, Holder, holder_of

HOLD = """
import sys, time
from pathlib import Path
from opsloop.core.lock import FolderLock
lock = FolderLock.take(Path(sys.argv[1]))
lock.announce("http://127.0.0.1:8700")
print("held", flush=True)
time.sleep(600)
"""


def test_a_second_taker_learns_who_holds_the_folder(tmp_path: Path) -> None:
    with FolderLock.take(tmp_path) as lock:
        lock.announce("http://127.0.0.1:8700")
        with pytest.raises(FolderHeld, match=f"held by process {os.getpid()} .it answers at http://127.0.0.1:8700"):
            FolderLock.take(tmp_path)


def test_nobody_holds_a_folder_after_release(tmp_path: Path) -> None:
    FolderLock.take(tmp_path).release()
    assert holder_of(tmp_path) is None
    FolderLock.take(tmp_path).release()


def test_nobody_holds_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    assert holder_of(tmp_path / "nowhere") is None


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DataFolderUnusable, match=r"cannot be used: (File exists|Not a directory); put that right"):
            FolderLock.take(folder)


@pytest.mark.parametrize("content", ["", "[]", '{"pid": "x"}', '{"url": null}', "\x00\xff"])
def test_a_holder_that_left_no_readable_name_still_holds(tmp_path: Path, content: str) -> None:
    with FolderLock.take(tmp_path):
        (tmp_path / locks.NAME).write_text(content)
        assert holder_of(tmp_path) == Holder(pid=0, url=None)


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    assert holder_of(tmp_path) == Holder(process.pid, "http://127.0.0.1:8700")
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert holder_of(tmp_path) is None
    FolderLock.take(tmp_path).release()


def test_somebody_who_asks_for_the_holder_does_not_keep_a_platform_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = os.open(tmp_path / locks.NAME, os.O_RDONLY | os.O_CREAT)
    fcntl.flock(asking, fcntl.LOCK_SH)
    monkeypatch.setattr("opsloop.core.lock.time.sleep", lambda _s: fcntl.flock(asking, fcntl.LOCK_UN))
    with FolderLock.take(tmp_path):
        assert holder_of(tmp_path) == Holder(pid=os.getpid(), url=None)
    os.close(asking)
