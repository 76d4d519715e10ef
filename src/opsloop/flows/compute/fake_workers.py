"""Workers that are none: rows run in this process, as on workers. For tests, which can have one end at a row."""

from __future__ import annotations

import pickle
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TypeVar

from opsloop.flows.compute.row_server import RowServer
from opsloop.flows.compute.workers import Ended, Handed, Job, News, Worker, WorkerLost

T = TypeVar("T")


class FakeWorkers:
    """Args:
    size: how many there may be.
    deaths: number of a row to how often a worker ends that has it, before the row is done.
    failing_starts: how many of the first workers end while they start.
    is_elsewhere: have the flow's files go along.
    """

    def __init__(
        self,
        size: int = 2,
        *,
        deaths: Mapping[int, int] | None = None,
        failing_starts: int = 0,
        is_elsewhere: bool = False,
    ) -> None:
        self.size = size
        self.is_elsewhere = is_elsewhere
        self.started = 0
        self.stopped = 0
        self.chunks: list[list[int]] = []
        """The numbers of the rows that were handed over together."""
        self._deaths = dict(deaths or {})
        self._failing_starts = failing_starts

    async def start(self, job: Job) -> Worker:
        if self._failing_starts:
            self._failing_starts -= 1
            raise WorkerLost(reason="it was told to")
        self.started += 1
        return _FakeWorker(self, RowServer(_sent(job)))

    async def stop(self, worker: Worker) -> None:
        self.stopped += 1

    def is_deadly(self, row: int) -> bool:
        """Whether the worker with this row ends now; counts."""
        left = self._deaths.get(row, 0)
        self._deaths[row] = max(0, left - 1)
        return left > 0


class _FakeWorker:
    def __init__(self, pool: FakeWorkers, server: RowServer) -> None:
        self._pool = pool
        self._server = server

    async def run(self, rows: Sequence[Handed]) -> AsyncIterator[News]:
        self._pool.chunks.append([handed.row.index for handed in rows])
        async for news in self._server.run(_sent(rows)):
            for each in _sent(news):
                if isinstance(each, Ended) and self._pool.is_deadly(each.result.index):
                    raise WorkerLost(reason="it was told to")
                yield [each]


def _sent(value: T) -> T:
    """As it arrives in another process."""
    copy: T = pickle.loads(pickle.dumps(value))  # noqa: S301  # made the moment before
    return copy
