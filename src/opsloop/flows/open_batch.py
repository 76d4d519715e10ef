"""A batch whose rows come one after the other, as another batch makes them: an evaluation flow beside the flow itself.

What is said of a row here is what `run_batch` says of it; a killed one goes on from its journal in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from opsloop.flows.batch_row import Row
from opsloop.flows.calls import current_answers, in_journal
from opsloop.flows.compute.row_run import RowRun
from opsloop.flows.journal import Journal, digest_of
from opsloop.flows.loaded import LoadedFlow
from opsloop.flows.results import AggregateResult
from opsloop.flows.row_result import RowResult, entry_of, from_entry


class OpenBatch:
    """Use it as an async context manager; `run` may be called for any number of rows at a time.

    Args:
        mapping: as in `run_batch`, with keys that are inputs of the flow.
        made_with: what the flow was loaded with beside its files; with another value a journal is another batch's.
        journal: file to record finished rows and model calls in; what is there already is not done again.
    """

    def __init__(
        self,
        flow: LoadedFlow,
        mapping: Mapping[str, Any],
        *,
        made_with: Mapping[str, Any] | None = None,
        journal: Path | None = None,
        row_timeout_s: float | None = None,
    ) -> None:
        self.flow = flow
        self.results: dict[int, RowResult] = {}
        self._run = RowRun(flow, mapping, row_timeout_s)
        identity = [flow.digest, mapping, *([made_with] if made_with else [])]
        self._journal = Journal(journal, digest_of(identity)) if journal is not None else None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> OpenBatch:
        """Raises: JournalOfOther, LinesHeld, NotLines, LinesUnwritable."""
        if self._journal is not None:
            await self._stack.enter_async_context(self._journal)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def run(self, row: Row) -> RowResult:
        """What became of a row; that of the journal where it holds one for the same data. Raises: LinesUnwritable."""
        result = self._known(row)
        if result is None:
            result = await self._ran(row)
            if self._journal is not None:
                await self._journal.write(entry_of(result, row.digest))
        self.results[row.index] = result
        return result

    async def aggregate(self) -> AggregateResult:
        """What the flow makes of all completed rows. Raises: FlowRunError."""
        rows = [self.results[index] for index in sorted(self.results)]
        return await self.flow.aggregate_rows([row.for_aggregation for row in rows if row.is_completed])

    def _known(self, row: Row) -> RowResult | None:
        entry = self._journal.finished.pop(row.index, None) if self._journal is not None else None
        return from_entry(entry) if entry is not None and entry["data"] == row.digest else None

    async def _ran(self, row: Row) -> RowResult:
        if self._journal is None:
            return await self._run(row)
        token = current_answers.set((in_journal(self._journal, row.index, row.digest),))
        try:
            return await self._run(row)
        finally:
            current_answers.reset(token)
