"""Many rows through one flow: results in the order of the rows, a failing row alone fails, a killed batch resumes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsloop.core.clock import Clock, SystemClock
from opsloop.core.errors import Kind
from opsloop.flows.batch_row import Row
from opsloop.flows.calls import Cache
from opsloop.flows.compute.in_process import InProcess
from opsloop.flows.compute.port import Compute, Work
from opsloop.flows.compute.row_run import RowRun
from opsloop.flows.errors import FlowRunError
from opsloop.flows.journal import Journal, digest_of
from opsloop.flows.loaded import LoadedFlow
from opsloop.flows.mapping import checked_mapping
from opsloop.flows.results import AggregateResult, TokenUse, summed
from opsloop.flows.row_result import RowResult, entry_of, from_entry

CONCURRENCY = 16
LINE_NUMBER = "line_number"
# What was away may be back: the answers such a row got before are good, and are not paid again.
_KEEPS_ANSWERS = frozenset({Kind.UNAVAILABLE, Kind.LIMITED, Kind.TIMED_OUT})


@dataclass(frozen=True, slots=True)
class BatchResult:
    """`rows` are in the order of the data; `aggregate_error` is the sentence when the aggregation failed.

    `left_out` are the numbers of rows that were not run because the earlier run has no outputs for them; `damaged`
    counts lines of the journal that could not be read; `from_cache` the answers of models that were in the cache.
    """

    # Not in its repr, which asyncio makes of what a task gave when it ends: 0.1 ms a row.
    rows: tuple[RowResult, ...] = field(repr=False)
    aggregate: AggregateResult = field(repr=False)
    aggregate_error: str | None
    duration_ms: float
    left_out: tuple[int, ...] = ()
    damaged: int = 0
    from_cache: int = 0

    @property
    def completed(self) -> int:
        return sum(row.is_completed for row in self.rows)

    @property
    def failed(self) -> int:
        return len(self.rows) - self.completed

    @property
    def tokens(self) -> TokenUse:
        return summed(row.tokens for row in self.rows)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch is."""

    done: int
    total: int
    failed: int
    resumed: int


async def run_batch(
    flow: LoadedFlow,
    rows: Sequence[Mapping[str, Any]],
    *,
    mapping: Mapping[str, Any] | None = None,
    earlier: Sequence[RowResult] | None = None,
    made_with: Mapping[str, Any] | None = None,
    concurrency: int = CONCURRENCY,
    row_timeout_s: float | None = None,
    journal: Path | None = None,
    retry_failed: bool = False,
    cache: Path | None = None,
    compute: Compute | None = None,
    progress: Callable[[Progress], None] | None = None,
    clock: Clock | None = None,
) -> BatchResult:
    """Run every row.

    Args:
        rows: the data.
        mapping: input name to a value or `${data.column}`, `${run.outputs.name}`, `${run.inputs.name}`.
        earlier: rows of the run that is evaluated; `${run.…}` reads from the one with the same number. Rows that did
            not complete there are left out, as in Prompt flow.
        made_with: what the flow was loaded with beside its files; with another value a journal is another batch's.
        concurrency: rows in work at a time, >= 1.
        row_timeout_s: longest time for a row, in seconds; None for as long as its nodes may take.
        journal: file to record finished rows and model calls in; what is there already is not done again.
        retry_failed: run rows again that the journal has as failed.
        cache: folder in which the same question to a model has one answer, over all batches that name it.
        compute: where the rows run; unset: in this process.
        progress: called after each row, on the event loop; must be quick.
    Raises: InputInvalid when the mapping is wrong for the flow; JournalOfOther, LinesHeld, NotLines, LinesUnwritable,
    and as `Compute.run`.
    """
    checked_mapping(flow.flow, mapping or {})
    work, left_out = _joined(rows, earlier)
    batch = _Batch(flow, progress, clock or SystemClock(), total=len(work))
    batch.cache = Cache(cache) if cache is not None else None
    batch.left_out = left_out
    async with AsyncExitStack() as stack:
        if journal is not None:
            identity = digest_of([flow.digest, mapping or {}, *([made_with] if made_with else [])])
            batch.journal = await stack.enter_async_context(Journal(journal, identity))
            await batch.take_over(work, retry_failed=retry_failed)
        waiting = [each for each in work if each.index not in batch.results]
        run = RowRun(flow, mapping or {}, row_timeout_s)
        try:
            await (compute or InProcess()).run(
                Work(run, max(1, concurrency), batch.journal, batch.cache), waiting, batch.finished
            )
        except BaseExceptionGroup as problems:  # the journal, as a rule: the first says it
            raise problems.exceptions[0] from None
    return await batch.result()


def _joined(
    rows: Sequence[Mapping[str, Any]], earlier: Sequence[RowResult] | None
) -> tuple[list[Row], tuple[int, ...]]:
    """Each row with what the earlier run has for its number, and the numbers for which that has nothing."""
    if earlier is None:
        return [Row(index, data) for index, data in enumerate(rows)], ()
    known = {row.index: row for row in earlier if row.is_completed}
    numbers = [_number(data, index) for index, data in enumerate(rows)]
    work = [
        Row(index, data, known[number].outputs, known[number].inputs)
        for index, (number, data) in enumerate(zip(numbers, rows, strict=True))
        if number in known
    ]
    return work, tuple(index for index, number in enumerate(numbers) if number not in known)


def _number(data: Mapping[str, Any], index: int) -> int:
    """The number of the earlier run's row: data made of a run may say it, as Prompt flow's outputs do."""
    said = data.get(LINE_NUMBER)
    return said if isinstance(said, int) and not isinstance(said, bool) else index


class _Batch:
    """The state of one batch."""

    cache: Cache | None = None
    journal: Journal | None = None
    left_out: tuple[int, ...] = ()

    def __init__(
        self,
        flow: LoadedFlow,
        progress: Callable[[Progress], None] | None,
        clock: Clock,
        *,
        total: int,
    ) -> None:
        self.flow = flow
        self.progress = progress
        self.clock = clock
        self.total = total
        self.results: dict[int, RowResult] = {}
        self.failed = 0
        self.resumed = 0
        self.start_s = clock.monotonic_s()

    async def take_over(self, work: Sequence[Row], *, retry_failed: bool) -> None:
        """Take rows from the journal that hold the same data as before."""
        assert self.journal is not None
        for row in work:
            entry = self.journal.finished.get(row.index)
            if entry is None or entry["data"] != row.digest:
                continue
            if retry_failed and entry["error"] is not None:
                if entry["error_kind"] not in _KEEPS_ANSWERS:
                    await self.journal.forget_calls(row.index)  # the same answers would fail the same way
                continue
            self.resumed += 1
            self._add(from_entry(entry))
        self.journal.finished.clear()

    async def finished(self, row: Row, result: RowResult) -> None:
        if self.journal is not None:
            await self.journal.write(entry_of(result, row.digest))
        self._add(result)

    async def result(self) -> BatchResult:
        rows = tuple(self.results[index] for index in sorted(self.results))
        aggregate, problem = AggregateResult({}, {}), None
        try:
            aggregate = await self.flow.aggregate_rows([row.for_aggregation for row in rows if row.is_completed])
        except FlowRunError as error:
            problem = str(error)
        return BatchResult(
            rows=rows,
            aggregate=aggregate,
            aggregate_error=problem,
            duration_ms=(self.clock.monotonic_s() - self.start_s) * 1000,
            left_out=self.left_out,
            damaged=self.journal.damaged if self.journal is not None else 0,
            from_cache=self.cache.found if self.cache is not None else 0,
        )

    def _add(self, result: RowResult) -> None:
        self.results[result.index] = result
        self.failed += not result.is_completed
        if self.progress is not None:
            self.progress(Progress(len(self.results), self.total, self.failed, self.resumed))
