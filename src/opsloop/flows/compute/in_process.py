"""Rows in this process, on its event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opsloop.flows.batch_row import Row
from opsloop.flows.calls import Answers, current_answers, in_journal
from opsloop.flows.compute.port import Finished, Work


class InProcess:
    async def run(self, work: Work, rows: Sequence[Row], finished: Finished) -> None:
        waiting = iter(rows)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(max(1, work.concurrency), len(rows))):
                group.create_task(_work_off(work, waiting, finished))


async def _work_off(work: Work, waiting: Iterator[Row], finished: Finished) -> None:
    for row in waiting:
        with _answers(work, row):
            result = await work.run(row)
        await finished(row, result)


@contextmanager
def _answers(work: Work, row: Row) -> Iterator[None]:
    """Have the model calls of a row looked up and kept."""
    places: list[Answers] = []
    if work.journal is not None:
        places.append(in_journal(work.journal, row.index, row.digest))
    if work.cache is not None:
        places.append(work.cache)
    token = current_answers.set(tuple(places))
    try:
        yield
    finally:
        current_answers.reset(token)
