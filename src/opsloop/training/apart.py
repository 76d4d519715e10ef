"""Training in a process of its own: it can be ended at any moment, and its memory returns when it is done."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from opsloop.core.errors import Failed
from opsloop.training.orders import ANSWER_FILE, ORDER_FILE, News, Order, Trouble

Progress = Callable[[int, int, str], None]
HEARTBEAT_S = 0.5
"""How often `progress` is called while nothing new happens; it may raise to end the run."""
_SAID_BYTES = 2_000


class TrainingBroke(Failed):
    template = "the process that trained ended {how}; {hint}"


def run_apart(order: Order, progress: Progress) -> bytes:
    """Run a pipeline and give what it came to, encoded by `child`.

    Args:
        progress: called at every step and about twice a second; what it raises ends the process and goes on.
    Raises: PipelineInvalid, DataUnfit, FunctionBroke, FitFailed, TrainingBroke.
    """
    with tempfile.TemporaryDirectory(prefix="opsloop-training-") as name:
        folder = Path(name)
        (folder / ORDER_FILE).write_bytes(msgspec.json.encode(order))
        with (folder / "said").open("wb") as said:
            _run(folder, said.fileno(), progress)
        return (folder / ANSWER_FILE).read_bytes()


def _run(folder: Path, said: int, progress: Progress) -> None:
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603  # this Python, a module of ours
            [sys.executable, "-m", "opsloop.training.child", str(folder), str(writing)],
            stdin=subprocess.PIPE,  # closes when this process ends, which ends that one
            stdout=said,
            stderr=said,
            pass_fds=(writing,),
            start_new_session=True,
        )
    finally:
        os.close(writing)
    try:
        trouble = _followed(reading, progress)
        code = process.wait()
    except BaseException:
        _end(process)
        raise
    finally:
        os.close(reading)
        assert process.stdin is not None
        process.stdin.close()
    if trouble is not None:
        raise trouble.error()
    if code or not (folder / ANSWER_FILE).is_file():
        raise _broke(code, folder)


def _followed(reading: int, progress: Progress) -> Trouble | None:
    """Pass on the news until the process closes its end; the trouble it told."""
    trouble: Trouble | None = None
    latest = News(0, 1, "starting")
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ)
        while True:
            progress(latest.done, latest.total, latest.message)
            if not selector.select(HEARTBEAT_S):
                continue
            part = os.read(reading, 65_536)
            if not part:
                return trouble
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                found = msgspec.json.decode(line, type=dict)
                if "kind" in found:
                    trouble = msgspec.convert(found, Trouble)
                else:
                    latest = msgspec.convert(found, News)


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _broke(code: int, folder: Path) -> TrainingBroke:
    if code < 0:
        hint = "look whether it needed more memory than there is" if code == -signal.SIGKILL else "run it again"
        return TrainingBroke(how=f"by {signal.Signals(-code).name}", hint=hint)
    text = (folder / "said").read_bytes()[-_SAID_BYTES:].decode(errors="replace").strip().splitlines()
    return TrainingBroke(how=f"with code {code}", hint=f"it said last: {text[-1] if text else 'nothing'}")
