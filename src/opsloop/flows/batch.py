"""Many rows through one flow: results in the order of the rows, a failing row alone fails, a killed batch resumes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsloop.core.clock import Clock, SystemClock
from opsloop.core.errors import OpsloopError
from opsloop.flows import journal as journals
from opsloop.flows.errors import FlowRunError
from opsloop.flows.loaded import LoadedFlow
from opsloop.flows.mapping import checked_mapping, row_inputs
from opsloop.flows.results import NO_TOKENS, AggregateResult, FlowResult, NodeRun, TokenUse, summed

CONCURRENCY = 16


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row. `error` is the sentence of its failure, `error_kind` the kind; None when it completed.

    `nodes` holds the traces of this process; a row taken from a journal has none and says `resumed`.
    """

    index: int
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    error: str | None = None
    error_kind: str | None = None
    duration_ms: float = 0.0
    tokens: TokenUse = NO_TOKENS
    for_aggregation: Mapping[str, Any] = field(default_factory=dict)
    nodes: tuple[NodeRun, ...] = ()
    resumed: bool = False

    @property
    def is_completed(self) -> bool:
        return self.error is None


@dataclass(frozen=True, slots=True)
class BatchResult:
    """`rows` are in the order of the data; `aggregate_error` is the sentence when the aggregation failed."""

    rows: tuple[RowResult, ...]
    aggregate: AggregateResult
    aggregate_error: str | None
    duration_ms: float

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


@dataclass(frozen=True, slots=True)
class _Work:
    index: int
    row: Mapping[str, Any]
    outputs: Mapping[str, Any] | None
    inputs: Mapping[str, Any] | None


async def run_batch(
    flow: LoadedFlow,
    rows: Sequence[Mapping[str, Any]],
    *,
    mapping: Mapping[str, Any] | None = None,
    earlier: Sequence[RowResult] | None = None,
    concurrency: int = CONCURRENCY,
    journal: Path | None = None,
    retry_failed: bool = False,
    progress: Callable[[Progress], None] | None = None,
    clock: Clock | None = None,
) -> BatchResult:
    """Run every row.

    Args:
        rows: the data.
        mapping: input name to a value or `${data.column}`, `${run.outputs.name}`, `${run.inputs.name}`.
        earlier: rows of the run that is evaluated, in the same order; `${run.…}` reads from them.
        concurrency: rows in work at a time, >= 1.
        journal: file to record finished rows in; rows already there are not run again.
        retry_failed: run rows again that the journal has as failed.
        progress: called after each row, on the event loop; must be quick.
    Raises: InputInvalid when the mapping is wrong for the flow, JournalOfOther.
    """
    checked_mapping(flow.flow, mapping or {})
    batch = _Batch(flow, mapping or {}, progress, clock or SystemClock(), total=len(rows))
    work = [_Work(index, row, *_earlier(earlier, index)) for index, row in enumerate(rows)]
    async with AsyncExitStack() as stack:
        if journal is not None:
            known = await asyncio.to_thread(journals.read, journal, batch.id)
            batch.take_over(known, work, retry_failed=retry_failed)
            batch.journal = await stack.enter_async_context(journals.Journal(journal, batch.id))
        waiting = iter([each for each in work if each.index not in batch.results])
        async with asyncio.TaskGroup() as group:
            for _ in range(min(max(1, concurrency), len(rows))):
                group.create_task(batch.work_off(waiting))
    return await batch.result()


def _earlier(
    earlier: Sequence[RowResult] | None, index: int
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    if earlier is None or index >= len(earlier):
        return None, None
    return earlier[index].outputs, earlier[index].inputs


class _Batch:
    """The state of one batch."""

    def __init__(
        self,
        flow: LoadedFlow,
        mapping: Mapping[str, Any],
        progress: Callable[[Progress], None] | None,
        clock: Clock,
        *,
        total: int,
    ) -> None:
        self.flow = flow
        self.mapping = mapping
        self.progress = progress
        self.clock = clock
        self.total = total
        self.id = journals.digest_of([flow.digest, mapping])
        self.journal: journals.Journal | None = None
        self.results: dict[int, RowResult] = {}
        self.failed = 0
        self.resumed = 0
        self.start_s = clock.monotonic_s()

    def take_over(self, known: Mapping[int, Mapping[str, Any]], work: Sequence[_Work], *, retry_failed: bool) -> None:
        """Take rows from a journal that hold the same data as before."""
        for each in work:
            entry = known.get(each.index)
            if entry is None or entry["data"] != _data_digest(each) or (retry_failed and entry["error"] is not None):
                continue
            self.resumed += 1
            self._add(_resumed(entry))

    async def work_off(self, waiting: Any) -> None:
        for each in waiting:
            result = await self._row(each)
            if self.journal is not None:
                await self.journal.write(_entry(result, _data_digest(each)))
            self._add(result)

    async def result(self) -> BatchResult:
        rows = tuple(self.results[index] for index in sorted(self.results))
        aggregate, problem = AggregateResult({}, {}), None
        try:
            aggregate = await self.flow.aggregate_rows([row.for_aggregation for row in rows if row.is_completed])
        except FlowRunError as error:
            problem = str(error)
        duration_ms = (self.clock.monotonic_s() - self.start_s) * 1000
        return BatchResult(rows, aggregate, problem, duration_ms)

    async def _row(self, work: _Work) -> RowResult:
        """Run one row; whatever is wrong with it is its result."""
        inputs: Mapping[str, Any] = {}
        try:
            inputs = row_inputs(
                self.flow.flow, work.row, self.mapping, run_outputs=work.outputs, run_inputs=work.inputs
            )
            done = await self.flow.run(inputs)
        except FlowRunError as error:
            return _failed(work.index, inputs, error, error.result)
        except OpsloopError as error:
            return _failed(work.index, inputs, error, None)
        return RowResult(
            index=work.index,
            inputs=inputs,
            outputs=done.outputs,
            duration_ms=done.duration_ms,
            tokens=done.tokens,
            for_aggregation=done.for_aggregation,
            nodes=done.nodes,
        )

    def _add(self, result: RowResult) -> None:
        self.results[result.index] = result
        self.failed += not result.is_completed
        if self.progress is not None:
            self.progress(Progress(len(self.results), self.total, self.failed, self.resumed))


def _failed(index: int, inputs: Mapping[str, Any], error: OpsloopError, result: FlowResult | None) -> RowResult:
    return RowResult(
        index=index,
        inputs=inputs,
        outputs={},
        error=str(error),
        error_kind=error.kind.value,
        duration_ms=result.duration_ms if result is not None else 0.0,
        tokens=result.tokens if result is not None else NO_TOKENS,
        nodes=result.nodes if result is not None else (),
    )


def _data_digest(work: _Work) -> str:
    return journals.digest_of([work.row, work.outputs, work.inputs])


def _entry(result: RowResult, data: str) -> dict[str, Any]:
    tokens = result.tokens
    return {
        "row": result.index,
        "data": data,
        "inputs": result.inputs,
        "outputs": result.outputs,
        "error": result.error,
        "error_kind": result.error_kind,
        "duration_ms": result.duration_ms,
        "tokens": [tokens.prompt, tokens.completion, tokens.calls, tokens.uncounted_calls],
        "for_aggregation": result.for_aggregation,
    }


def _resumed(entry: Mapping[str, Any]) -> RowResult:
    return RowResult(
        index=entry["row"],
        inputs=entry["inputs"],
        outputs=entry["outputs"],
        error=entry["error"],
        error_kind=entry["error_kind"],
        duration_ms=entry["duration_ms"],
        tokens=TokenUse(*entry["tokens"]),
        for_aggregation=entry["for_aggregation"],
        resumed=True,
    )
