"""Several processes that answer on one port: one that dies is replaced, and a restart drops nothing.

The parent binds the port and forks. It serves nothing, opens no connection and starts no thread, so that a fork copies
nothing that another thread was in the midst of. All processes take connections from the one queue of the one socket:
what waits there when a process is killed is taken by the others.

What a crew does on signals: SIGTERM and SIGINT let each process finish what is under way, SIGHUP replaces one process
after the other, each only when the new one answers.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

import structlog

log = structlog.get_logger()
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
YOUNG_S = 10.0
"""A process that ends before this age counts as one that cannot start: the pause before the next grows."""
LEAVING_S = 40.0
"""How long a process may finish what is under way before it is killed; its own limit is shorter."""
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


@dataclass(frozen=True, slots=True)
class Post:
    """What a process of the crew is given.

    Args:
        number: 1 to the size of the crew.
        ready: to be called once it answers.
        orphaned: a file that becomes readable when the parent has died.
    """

    number: int
    ready: Callable[[], None]
    orphaned: int


Work = Callable[[Post], None]


@dataclass(slots=True)
class _Member:
    number: int
    pid: int
    hears: int
    started_s: float
    is_ready: bool = False
    leaves_at_s: float | None = None
    replaces: _Member | None = None


class Crew:
    """Args:
    size: how many processes answer.
    work: what each of them does, until it is told to stop.
    when_ready: called once all of them answer for the first time.
    when_gone: called with the process id of each that has ended.
    """

    def __init__(
        self,
        size: int,
        work: Work,
        *,
        when_ready: Callable[[], None] = lambda: None,
        when_gone: Callable[[int], None] = lambda _pid: None,
    ) -> None:
        self._size = size
        self._work = work
        self._when_ready = when_ready
        self._when_gone = when_gone
        self._members: dict[int, _Member] = {}
        self._received: list[int] = []
        self._to_replace: list[_Member] = []
        self._not_before_s: dict[int, float] = {}
        self._pause_s: dict[int, float] = {}
        self._alive_r, self._alive_w = os.pipe()
        self._is_stopping = False
        self._was_ready = False
        self._code = 0

    def run(self) -> int:
        """Keep the crew at its size until SIGTERM or SIGINT; returns the exit code: that of the first process that
        ended before any had answered, else 0."""
        with _heard(self._received) as wakes:
            self._fill()
            while self._members or not self._is_stopping:
                self._wait(wakes)
                self._obey()
                self._bury()
                self._kill_late()
                if not self._is_stopping:
                    self._fill()
                    self._relieve()
        return self._code

    def _fill(self) -> None:
        """Start what is missing, unless it died too often a moment ago."""
        now_s = time.monotonic()
        taken = {each.number for each in self._members.values() if each.leaves_at_s is None}
        for number in range(1, self._size + 1):
            if number not in taken and self._not_before_s.get(number, 0.0) <= now_s:
                self._start(number)

    def _start(self, number: int, replaces: _Member | None = None) -> None:
        hears, tells = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._become(Post(number, _telling(tells), self._alive_r), hears)
        os.close(tells)
        self._members[pid] = _Member(number, pid, hears, time.monotonic(), replaces=replaces)

    def _become(self, post: Post, hears: int) -> None:
        """The child: never returns."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for name in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
                signal.signal(name, signal.SIG_DFL)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal that closes tells the parent, and it tells us
            os.close(hears)
            os.close(self._alive_w)
            for each in self._members.values():
                os.close(each.hears)
            self._work(post)
            code = 0
        except BaseException:  # the rim of a process: whatever it was, it is told, and the process ends here
            log.exception("process_failed", number=post.number)
        finally:
            with suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _wait(self, wakes: int) -> None:
        waiting = [each.hears for each in self._members.values() if not each.is_ready]
        readable, _, _ = select.select([wakes, *waiting], [], [], 0.5)
        if wakes in readable:
            with suppress(BlockingIOError):
                os.read(wakes, 4096)
        for member in self._members.values():
            if member.hears in readable and os.read(member.hears, 1):
                self._answers(member)

    def _answers(self, member: _Member) -> None:
        member.is_ready = True
        if member.replaces is not None:
            self._dismiss(member.replaces)
            member.replaces = None
        if not self._was_ready and sum(each.is_ready for each in self._members.values()) == self._size:
            self._was_ready = True
            self._when_ready()

    def _obey(self) -> None:
        while self._received:
            name = self._received.pop(0)
            if name == signal.SIGHUP and not self._is_stopping:
                self._to_replace = [each for each in self._members.values() if each.leaves_at_s is None]
            elif name in (signal.SIGTERM, signal.SIGINT):
                self._is_stopping = True
                for member in self._members.values():
                    self._dismiss(member)

    def _relieve(self) -> None:
        """Begin to replace the next one, when nobody is being replaced."""
        if any(each.replaces is not None for each in self._members.values()):
            return
        while self._to_replace:
            old = self._to_replace.pop(0)
            if old.pid in self._members and old.leaves_at_s is None:
                self._start(old.number, replaces=old)
                return

    def _dismiss(self, member: _Member) -> None:
        """Ask a process to finish what is under way; again when asked again."""
        if member.pid not in self._members:
            return
        if member.leaves_at_s is None:
            member.leaves_at_s = time.monotonic() + LEAVING_S
        os.kill(member.pid, signal.SIGTERM)

    def _kill_late(self) -> None:
        now_s = time.monotonic()
        for member in self._members.values():
            if member.leaves_at_s is not None and member.leaves_at_s < now_s:
                log.warning("process_killed", number=member.number, pid=member.pid, after_s=LEAVING_S)
                os.kill(member.pid, signal.SIGKILL)

    def _bury(self) -> None:
        while self._members:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            member = self._members.pop(pid, None)
            if member is not None:
                os.close(member.hears)
                self._when_gone(pid)
                self._missed(member, os.waitstatus_to_exitcode(status))

    def _missed(self, member: _Member, code: int) -> None:
        """A process has ended; unless it was asked to, another takes its place, later each time it ends young."""
        if self._is_stopping or member.leaves_at_s is not None:
            return
        if not self._was_ready:  # wrong settings, most likely: the others would fail the same way
            self._code = code if code > 0 else 1
            self._is_stopping = True
            for each in self._members.values():
                self._dismiss(each)
            return
        now_s = time.monotonic()
        pause_s = 0.0
        if now_s - member.started_s < YOUNG_S:
            pause_s = self._pause_s.get(member.number, FIRST_PAUSE_S)
            self._pause_s[member.number] = min(LONGEST_PAUSE_S, pause_s * 2)
        else:
            self._pause_s.pop(member.number, None)
        self._not_before_s[member.number] = now_s + pause_s
        log.warning("process_ended", number=member.number, pid=member.pid, code=code, next_in_s=pause_s)


def _telling(tells: int) -> Callable[[], None]:
    def tell() -> None:
        with suppress(OSError):  # the parent may have died meanwhile
            os.write(tells, b"r")
            os.close(tells)

    return tell


@contextmanager
def _heard(received: list[int]) -> Iterator[int]:
    """Note the signals that come; yields a file that becomes readable when one has."""
    wakes, woken = os.pipe()
    os.set_blocking(wakes, False)
    os.set_blocking(woken, False)

    def note(name: int, _frame: FrameType | None) -> None:
        received.append(name)

    before = {name: signal.signal(name, note) for name in SIGNALS}
    former = signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    try:
        yield wakes
    finally:
        signal.set_wakeup_fd(former)
        for name, handler in before.items():
            signal.signal(name, handler)
        os.close(wakes)
        os.close(woken)
