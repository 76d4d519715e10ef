"""Run the words of an allowed command in a restricted process.

No shell; of the environment PATH alone; a new empty folder to work in; nothing to read from; its own session, ended
as a whole when its time is over or when it ends itself; limits on CPU, memory, size of files, open files and
processes; of what it prints the first 64 KB, redacted as log lines are. It runs as the user of the platform: what that
user may, the command may. Root is not held by the limit on processes.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from opsloop.guardrails.redaction import redacted
from opsloop.remediation.commands.errors import ProgramMissing

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
KEPT_BYTES = 65_536
FILE_BYTES, OPEN_FILES, PROCESSES = 1 << 26, 256, 64
_LAUNCH = Path(__file__).with_name("_launch.py")
_LOOK_MS = 50


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended. Args: exit_code: negative for a signal; output: of both streams, redacted."""

    exit_code: int
    output: str
    is_timed_out: bool
    is_cut: bool


def program_of(word: str) -> str:
    """The whole path of a program. Raises: ProgramMissing."""
    found = shutil.which(word, path=PATH)
    if found is None:
        raise ProgramMissing(name=word, path=PATH)
    return found


def run(words: Sequence[str], *, timeout_s: float, memory_bytes: int) -> Ran:
    """Raises: ProgramMissing."""
    program = program_of(words[0])
    limits = {
        "RLIMIT_CPU": math.ceil(timeout_s) + 1,
        "RLIMIT_AS": memory_bytes,
        "RLIMIT_FSIZE": FILE_BYTES,
        "RLIMIT_NOFILE": OPEN_FILES,
        "RLIMIT_NPROC": PROCESSES,
        "RLIMIT_CORE": 0,
    }
    with tempfile.TemporaryDirectory(prefix="opsloop-command-", ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(  # noqa: S603 (the words of an allowed command, without a shell)
            [sys.executable, "-I", "-S", str(_LAUNCH), json.dumps(limits), PATH, program, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={"PATH": PATH},
            close_fds=True,
            start_new_session=True,
        )
        try:
            said, is_cut, is_timed_out = _followed(process, timeout_s)
        finally:
            _end(process)
    text = said.decode("utf-8", "replace")
    return Ran(process.returncode, redacted(text), is_timed_out, is_cut)


def _followed(process: subprocess.Popen[bytes], timeout_s: float) -> tuple[bytes, bool, bool]:
    """What it printed, whether there was more, and whether its time was over first."""
    assert process.stdout is not None
    stream = process.stdout.fileno()
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    until, said, is_cut, is_open = time.monotonic() + timeout_s, bytearray(), False, True
    while True:
        has_ended, is_late = _has_ended(process), time.monotonic() >= until
        ready = poll.poll(0 if has_ended or is_late else _LOOK_MS)
        part = os.read(stream, KEPT_BYTES) if ready else b""
        room = KEPT_BYTES - len(said)
        said += part[:room]
        is_cut = is_cut or len(part) > room
        if is_open and ready and not part:
            poll.unregister(stream)
            is_open = False
        if part and not is_late:
            continue
        # What it left behind may hold the stream open; it is ended with it.
        if has_ended or is_late:
            return bytes(said), is_cut, not has_ended


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """It stays to be waited for, so that its number is nobody else's when its session is ended."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
