"""Rows spread over workers in chunks; what a lost worker had in work is tried again once, on another."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opsloop.core.errors import Unavailable
from opsloop.flows.batch_row import Row
from opsloop.flows.calls import Kept
from opsloop.flows.compute.jobs import job_of
from opsloop.flows.compute.port import Finished, Work
from opsloop.flows.compute.workers import Answered, Handed, Job, News, Worker, WorkerLost, WorkerPool, WorkersAway
from opsloop.flows.row_result import failed

STARTS = 3
"""How often a worker's place is filled anew when the one before ended while it started."""
SHARES_IN_CHUNK = 4


class RowLost(Unavailable):
    template = (
        "the worker that ran this row ended, and so did the one that tried it again alone: {reason}; "
        "look whether the row needs more memory than a worker has, or ends its process"
    )


@dataclass(frozen=True, slots=True)
class OnWorkers:
    """Args:
    variables: names of variables of this process that the flow needs on a worker too.
    """

    pool: WorkerPool
    variables: Sequence[str] = ()

    async def run(self, work: Work, rows: Sequence[Row], finished: Finished) -> None:
        if not rows:
            return
        size = min(self.pool.size, work.concurrency, len(rows))
        job = job_of(work, share=-(-work.concurrency // size), variables=self.variables, ships=self.pool.is_elsewhere)
        spread = _Spread(self.pool, job, work, rows, finished, size)
        async with asyncio.TaskGroup() as group:
            for _ in range(size):
                group.create_task(spread.fill_place())


class _Spread:
    """The rows of one batch, and which of them are where."""

    def __init__(
        self, pool: WorkerPool, job: Job, work: Work, rows: Sequence[Row], finished: Finished, size: int
    ) -> None:
        self.pool = pool
        self.job = job
        self.work = work
        self.finished = finished
        self.places = size
        self.size = size
        self.waiting = deque(rows)
        self.again: deque[Row] = deque()
        self.lost: set[int] = set()
        self.answers: dict[int, dict[str, Kept]] = {}
        self.left = len(rows)
        # Every worker gets some of a few rows, too.
        self.most = min(SHARES_IN_CHUNK * job.share, -(-len(rows) // size))
        self.changed = asyncio.Condition()

    async def fill_place(self) -> None:
        """Have a worker at work for as long as there are rows, and another when it is lost. Raises: WorkersAway."""
        failures = 0
        while await self._is_work_there():
            try:
                worker = await self.pool.start(self.job)
            except WorkerLost as error:
                failures += 1
                if failures < STARTS:
                    continue
                self.places -= 1
                if not self.places:
                    raise WorkersAway(reason=error.facts["reason"]) from error
                return
            failures = 0
            await self._use(worker)

    async def _use(self, worker: Worker) -> None:
        try:
            while await self._is_work_there():
                if not await self._run(worker, self._chunk()):
                    return
        finally:
            await self.pool.stop(worker)

    async def _is_work_there(self) -> bool:
        """Wait for rows: those in work elsewhere may yet have to be tried again. False when all are done."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.waiting or self.again or not self.left)
            return bool(self.left)

    def _chunk(self) -> list[Row]:
        """The next rows, fewer towards the end; one that was lost is alone, so that it takes no other along."""
        if self.again:
            return [self.again.popleft()]
        fair = len(self.waiting) // (2 * self.size)
        count = min(max(fair, self.job.share), self.most, len(self.waiting))
        return [self.waiting.popleft() for _ in range(count)]

    async def _run(self, worker: Worker, chunk: Sequence[Row]) -> bool:
        """Whether the worker is still there afterwards."""
        rows = {row.index: row for row in chunk}
        reason = "it gave no result"
        try:
            async for news in worker.run([Handed(row, self._known(row)) for row in chunk]):
                await self._take(news, rows)
        except WorkerLost as error:
            reason = error.facts["reason"]
        await self._lose(rows.values(), reason)
        return not rows

    def _known(self, row: Row) -> dict[str, Kept]:
        journal = self.work.journal
        kept = journal.calls_of(row.index, row.digest) if journal is not None else {}
        return {**kept, **self.answers.get(row.index, {})}

    async def _take(self, news: News, rows: dict[int, Row]) -> None:
        ended = []
        for each in news:
            if isinstance(each, Answered):
                await self._keep(each, rows[each.row])
                continue
            if self.work.cache is not None:
                self.work.cache.found += each.from_cache
            ended.append(each.result)
        # Together, as the journal takes them to the disk together.
        await asyncio.gather(*(self.finished(rows[result.index], result) for result in ended))
        for result in ended:
            del rows[result.index]
            self.answers.pop(result.index, None)
        await self._count(len(ended))

    async def _keep(self, answered: Answered, row: Row) -> None:
        self.answers.setdefault(row.index, {})[answered.place] = answered.answer
        if self.work.journal is not None:
            await self.work.journal.write_call((row.index, row.digest, answered.place), answered.answer)

    async def _lose(self, rows: Iterable[Row], reason: str) -> None:
        gone = [row for row in rows if row.index in self.lost]
        for row in gone:
            await self.finished(row, failed(row.index, {}, RowLost(reason=reason), None))
        self.again += [row for row in rows if row.index not in self.lost]
        self.lost |= {row.index for row in rows}
        await self._count(len(gone))

    async def _count(self, ended: int) -> None:
        async with self.changed:
            self.left -= ended
            self.changed.notify_all()
