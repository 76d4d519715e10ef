"""The parent of gateway workers: it listens, starts them, replaces one that died, and stops them all.

All workers accept from one listening socket that the parent holds open: a connection that nobody has accepted yet is
not lost with a worker. The parent answers nothing itself, so there is little in it that can fail.

SIGTERM and SIGINT drain all. SIGHUP replaces one worker after the other: the new one answers before the old one drains.
A worker whose parent is gone drains too.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from opsloop.core.errors import Failed
from opsloop.server.workers.standing import Standing

log = structlog.get_logger()
START_S = 120.0
STOP_S = 45.0
FIRST_REST_S = 0.1
LONGEST_REST_S = 10.0
HEALTHY_S = 30.0
"""A worker that lived so long is replaced at once when it dies, however often others of its place did before."""
READY = b"r"


class WorkerUnstartable(Failed):
    template = "worker {place} ended with exit code {code} before it could serve; the lines above say why"


@dataclass(eq=False)
class _Worker:
    place: str
    process: asyncio.subprocess.Process
    link: socket.socket
    began_s: float
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.link)
        self.link.close()


class Crew:
    """Args:
    words: the arguments of a worker, beside those that say its place.
    count: how many.
    """

    def __init__(self, listener: socket.socket, words: Sequence[str], *, count: int) -> None:
        self._listener = listener
        self._words = list(words)
        self._count = count
        self._workers: dict[int, _Worker] = {}
        self._generation = dict.fromkeys(range(count), 0)
        self._stopping = asyncio.Event()
        self._restarting = asyncio.Lock()
        self._replacing: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Until SIGTERM or SIGINT. Args: ready: called once all serve. Raises: WorkerUnstartable."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._spawn(self._restart_all()))
        with tempfile.TemporaryDirectory(prefix="opsloop-workers-") as folder:
            self._folder = Path(folder)
            self._standing = Standing(self._folder)
            self._tell()
            try:
                first = await asyncio.gather(*(self._started(place) for place in range(self._count)))
                for place, worker in enumerate(first):
                    self._spawn(self._watch(place, worker))
                if not self._stopping.is_set():
                    ready()
                await self._stopping.wait()
            finally:
                self._stopping.set()
                await self._stop_all()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _started(self, place: int) -> _Worker:
        """A worker that serves. Raises: WorkerUnstartable."""
        worker = await self._begun(place)
        before = self._workers.get(place)
        self._workers[place] = worker
        ends = asyncio.create_task(worker.process.wait())
        waits = [ends, *(asyncio.create_task(each.wait()) for each in (worker.ready, self._stopping))]
        try:
            await asyncio.wait(waits, timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
        if worker.ready.is_set() or self._stopping.is_set():
            return worker
        if worker.process.returncode is None:
            worker.process.kill()
            await worker.process.wait()
        worker.close()
        if before is not None and before.process.returncode is None:
            self._workers[place] = before
        raise WorkerUnstartable(place=worker.place, code=worker.process.returncode)

    async def _begun(self, place: int) -> _Worker:
        # Of two processes of one place that live at a time, while one replaces the other, each has a name of its own.
        name = f"{place}{'ab'[self._generation[place] % 2]}"
        ours, theirs = socket.socketpair()
        fds = (self._listener.fileno(), theirs.fileno())
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "opsloop.server.workers.worker"),
                *("--place", name, "--listener", str(fds[0]), "--link", str(fds[1]), "--folder", str(self._folder)),
                *self._words,
                pass_fds=fds,
                env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(self._folder)},
                start_new_session=True,  # Ctrl-C is the parent's to pass on, once
            )
        finally:
            theirs.close()
        ours.setblocking(False)
        loop = asyncio.get_running_loop()
        worker = _Worker(name, process, ours, loop.time())
        loop.add_reader(ours, self._heard, worker)
        return worker

    def _heard(self, worker: _Worker) -> None:
        try:
            said = worker.link.recv(16)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if not said:
            asyncio.get_running_loop().remove_reader(worker.link)
            return
        worker.ready.set()
        self._tell()

    async def _watch(self, place: int, worker: _Worker) -> None:
        """Replace the worker of a place whenever it dies."""
        rest_s = FIRST_REST_S
        while not self._stopping.is_set():
            code = await worker.process.wait()
            if self._stopping.is_set() or self._workers.get(place) is not worker:
                return  # stopped; or another was put in its place, and is watched itself
            worker.close()
            self._tell()
            loop = asyncio.get_running_loop()
            rest_s = FIRST_REST_S if loop.time() - worker.began_s > HEALTHY_S else min(rest_s * 2, LONGEST_REST_S)
            log.warning("worker_died", place=worker.place, pid=worker.process.pid, code=code, next_try_in_s=rest_s)
            if await self._stops_within(rest_s):
                return
            async with self._restarting:
                self._standing.forget(worker.place)
                try:
                    worker = await self._started(place)
                except WorkerUnstartable as error:
                    log.error("worker_not_replaced", place=place, reason=error.sentence)
                    worker = self._workers[place]

    async def _restart_all(self) -> None:
        """Replace each worker by a new one, one after the other; one that cannot be started leaves the old one."""
        async with self._restarting:
            for place in range(self._count):
                old = self._workers[place]
                if self._stopping.is_set():
                    return
                self._generation[place] += 1
                try:
                    new = await self._started(place)
                except WorkerUnstartable as error:
                    self._generation[place] -= 1
                    log.error("worker_not_replaced", place=old.place, reason=error.sentence)
                    return
                self._spawn(self._watch(place, new))
                await _drained(old)
                old.close()
                self._standing.forget(old.place)
                self._tell()
                log.info("worker_replaced", place=new.place, pid=new.process.pid)

    async def _stop_all(self) -> None:
        self._listener.close()  # else the system goes on to take connections that nobody accepts
        await asyncio.gather(*(_drained(each) for each in self._workers.values()))
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for each in self._workers.values():
            each.close()

    async def _stops_within(self, time_s: float) -> bool:
        try:
            async with asyncio.timeout(time_s):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True

    def _tell(self) -> None:
        alive = [each for each in self._workers.values() if each.process.returncode is None and each.ready.is_set()]
        self._standing.tell(wanted=self._count, serving=len(alive))


async def _drained(worker: _Worker) -> None:
    """Ask a worker to finish what is under way; end it when it does not."""
    if worker.process.returncode is not None:
        return
    worker.process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await worker.process.wait()
    except TimeoutError:
        log.warning("worker_killed", place=worker.place, pid=worker.process.pid)
        worker.process.kill()
        await worker.process.wait()
