"""What a batch needs of the place where its rows run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from opsloop.flows.batch_row import Row
from opsloop.flows.calls import Cache
from opsloop.flows.compute.row_run import RowRun
from opsloop.flows.journal import Journal
from opsloop.flows.row_result import RowResult

Finished = Callable[[Row, RowResult], Awaitable[None]]
"""Keeps a result; returns once it is on the disk."""


@dataclass(frozen=True, slots=True)
class Work:
    """What the rows of one batch have in common; `concurrency` is how many are in work at a time, over all workers."""

    run: RowRun
    concurrency: int
    journal: Journal | None = None
    cache: Cache | None = None


class Compute(Protocol):
    async def run(self, work: Work, rows: Sequence[Row], finished: Finished) -> None:
        """Run every row once, in any order, and tell each result as it is there. Cancelling ends all that is in work.

        Raises: what `finished` raises; WorkersAway.
        """
        ...
