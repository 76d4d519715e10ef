"""Workers that are actors of Ray, each a process with the flow loaded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ray
from ray.exceptions import RayError

from opsloop._version import __version__
from opsloop.core.errors import Failed
from opsloop.flows.compute.ray_actor import Opened, RowActor
from opsloop.flows.compute.workers import Handed, Job, News, Worker, WorkerLost


class FlowNotLoaded(Failed):
    template = "the flow does not load on a worker of Ray: {reason}"


class OtherVersion(Failed):
    template = "a worker of Ray has Opsloop {theirs} and this is {ours}: install the same on all machines"


class RayWorkers:
    """Of the Ray that this process is connected to.

    Args:
        is_elsewhere: whether it may have other machines than this.
    """

    def __init__(self, size: int, *, is_elsewhere: bool) -> None:
        self.size = size
        self.is_elsewhere = is_elsewhere
        # Not started anew by Ray: what was lost is handed out again here.
        # Any: the methods of its handles are made at run time.
        self._actor: Any = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(RowActor)

    async def start(self, job: Job) -> Worker:
        actor = self._actor.remote()
        try:
            with _lost():
                opened: Opened = await actor.open.remote(job)
        except BaseException:
            ray.kill(actor)
            raise
        if opened.version != __version__:
            raise OtherVersion(theirs=opened.version, ours=__version__)
        if opened.problem is not None:
            raise FlowNotLoaded(reason=opened.problem)
        return RayWorker(actor)

    async def stop(self, worker: Worker) -> None:
        assert isinstance(worker, RayWorker)
        ray.kill(worker.actor)


class RayWorker:
    def __init__(self, actor: Any) -> None:
        self.actor = actor

    async def run(self, rows: Sequence[Handed]) -> AsyncIterator[News]:
        with _lost():
            async for each in self.actor.run.remote(rows):
                news: News = await each
                yield news


@contextmanager
def _lost() -> Iterator[None]:
    try:
        yield
    except RayError as error:
        raise WorkerLost(reason=_said(error)) from error


def _said(error: RayError) -> str:
    """The line that says what happened: Ray's errors are pages, the last line of a traceback or the first of prose."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    return lines[-1] if "Traceback" in str(error) else lines[0].rstrip(".:")
