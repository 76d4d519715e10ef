"""Batch runs that are kept: `create`, `resume`, `get`, `listed`, `results`, `details`; what surfaces call.

Each has a folder of its own in the place for runs, `.opsloop/runs/NAME` of a project; see `batch_run_folder.py`.
All functions are synchronous; inside of an event loop `create` and `resume` do their work in a thread and wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from opsloop.core.clock import Clock, SystemClock
from opsloop.core.errors import Conflict, InvalidInput
from opsloop.flows import batch_run_folder as folders
from opsloop.flows import kept_init
from opsloop.flows import rows as row_files
from opsloop.flows.batch import CONCURRENCY, BatchResult, Progress, run_batch
from opsloop.flows.batch_run_folder import BatchRun, RunStatus, check_name
from opsloop.flows.compute.choice import chosen
from opsloop.flows.compute.port import Compute
from opsloop.flows.environment import for_a_while
from opsloop.flows.lines import holder_of
from opsloop.flows.loaded import LoadedFlow, load
from opsloop.flows.results import summed
from opsloop.flows.row_result import RowResult
from opsloop.flows.run_file import RunWanted
from opsloop.flows.working_folder import at_home
from opsloop.llm.port import ChatProvider

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a batch is run, which changes nothing about what comes out.

    Args:
        row_timeout_s: longest time for a row, in seconds.
        retry_failed: on resuming, run rows again that failed.
        cache: folder of model answers that all batches share.
        journal: file for the journal; unset: in the run's folder.
        started: called once the run has its folder.
        progress: called after each row; must be quick.
        at_home: run in the flow's folder, as its code expects; only in a process that runs one flow at a time.
        target: what a flex flow calls for each row, made already; see `entries`.
        chat: what answers LLM nodes, for tests.
        compute: where the rows run; unset: where the settings say.
    """

    concurrency: int = CONCURRENCY
    row_timeout_s: float | None = None
    retry_failed: bool = False
    cache: Path | None = None
    journal: Path | None = None
    started: Callable[[BatchRun], None] | None = None
    progress: Callable[[Progress], None] | None = None
    at_home: bool = False
    target: Callable[..., Any] | None = None
    chat: ChatProvider | None = None
    compute: Compute | None = None
    clock: Clock | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that ended, and what came out of it."""

    run: BatchRun
    result: BatchResult


def create(place: Path, wanted: RunWanted, manner: Manner | None = None) -> Finished:
    """Run a flow over rows and keep the run in a folder of `place`.

    Raises: FlowMissing, FlowInvalid, InputInvalid, RowsMissing, FileBroken, RunMissing, RunThere, JournalOfOther,
    LinesHeld, LinesUnwritable. When some rows fail it returns all the same.
    """
    manner = manner or Manner()
    clock = manner.clock or SystemClock()
    place = place.absolute()  # users' code may go to another folder
    if wanted.name is not None:
        check_name(wanted.name)
    with for_a_while(wanted.environment_variables):
        flow = _loaded(wanted, manner)
        mapping, warnings = _fitting(flow, wanted)
        rows = _rows(place, wanted)
        run = BatchRun(
            name=wanted.name or f"{_safe(flow.name)}_{clock.now():%Y%m%d_%H%M%S_%f}",
            flow=wanted.flow.absolute(),
            flow_name=flow.name,
            digest=flow.digest,
            status=RunStatus.RUNNING,
            created_at=clock.now(),
            rows=len(rows),
            data=_full(wanted.data),
            run=wanted.run,
            column_mapping=mapping,
            variants=wanted.variants,
            init=kept_init.without_secrets(wanted.init),
            environment_variables=wanted.environment_variables,
            connections=wanted.connections,
            display_name=wanted.display_name,
            description=wanted.description,
            tags=wanted.tags,
            journal=manner.journal.absolute() if manner.journal is not None else None,
            warnings=(*wanted.warnings, *warnings, *flow.unknown_connections()),
        )
        return _perform(place, folders.make(place, run, rows), flow, rows, manner)


def resume(place: Path, name: str, manner: Manner | None = None) -> Finished:
    """Go on with a run that was interrupted, over the rows it began with; finished rows are taken as they are.

    Raises: RunMissing, JournalOfOther when the flow changed since, and as `create`.
    """
    manner = manner or Manner()
    place = place.absolute()
    run = folders.get(place, name)
    kept_init.refuse_hidden(run.init, run.name)
    wanted = RunWanted(
        flow=run.flow,
        run=run.run,
        variants=run.variants,
        init=run.init,
        environment_variables=run.environment_variables,
        connections=run.connections,
    )
    with for_a_while(run.environment_variables):
        flow = _loaded(wanted, manner)
        return _perform(place, run, flow, folders.rows_of(run), manner, is_resumed=True)


def get(place: Path, name: str) -> BatchRun:
    """Raises: RunMissing, RunDamaged."""
    return folders.get(place, name)


def listed(place: Path) -> list[BatchRun]:
    """The newest first."""
    runs = [folders.get(place, name) for name in folders.names(place)]
    return sorted(runs, key=lambda run: run.created_at, reverse=True)


def changed(place: Path, name: str, **changes: Any) -> BatchRun:
    """A run with other values in what is said about it: its display name, description, tags, or being archived.

    Raises: RunMissing, RunDamaged, LinesUnwritable.
    """
    run = replace(folders.get(place, name), **changes)
    folders.save(run)
    return run


def copied(place: Path, name: str, new: str, clock: Clock | None = None, **changes: Any) -> BatchRun:
    """A new run with all that an earlier one finished, to go on with while that one stays as it is.

    Args:
        changes: what is said about the new one: its display name, description, tags.
    Raises: RunMissing, RunThere, InvalidInput, LinesUnwritable.
    """
    run = folders.get(place, name)
    at = (clock or SystemClock()).now()
    return folders.copy(place, replace(run, name=check_name(new), created_at=at, is_archived=False, **changes), run)


def remove(place: Path, name: str) -> None:
    """Forget a run and all it gave. Raises: RunMissing, LinesHeld while it goes on, LinesUnwritable."""
    folders.remove(folders.get(place, name))


def results(place: Path, name: str) -> list[RowResult]:
    """The finished rows in their order; `index` is the number of the row in the data, from 0."""
    return folders.results_of(folders.get(place, name))


def details(place: Path, name: str) -> list[dict[str, Any]]:
    """The finished rows as one table: `inputs.line_number`, `inputs.NAME`, `outputs.NAME`, and `error` of failed rows.

    An output of a failed row is `(Failed)`, as in Prompt flow.
    """
    found = results(place, name)
    outputs = list(dict.fromkeys(key for row in found for key in row.outputs))
    inputs = list(dict.fromkeys(key for row in found for key in row.inputs))
    return [
        {
            "inputs.line_number": row.index,
            **{f"inputs.{key}": row.inputs.get(key) for key in inputs},
            **{f"outputs.{key}": row.outputs.get(key) if row.is_completed else "(Failed)" for key in outputs},
            "error": row.error,
        }
        for row in found
    ]


def _loaded(wanted: RunWanted, manner: Manner) -> LoadedFlow:
    return load(
        wanted.flow,
        variants=wanted.variants,
        chat=manner.chat,
        init=wanted.init,
        overrides=wanted.connections or None,
        target=manner.target,
    )


def _fitting(flow: LoadedFlow, wanted: RunWanted) -> tuple[dict[str, Any], list[str]]:
    """The mapping, for a lenient run without what the flow has no input for, and a warning for each of those."""
    inputs = flow.flow.inputs
    extra = [name for name in wanted.column_mapping if name not in inputs] if wanted.is_lenient and inputs else []
    mapping = {name: value for name, value in wanted.column_mapping.items() if name not in extra}
    return mapping, [f"column mapping {name!r} is no input of flow {flow.name} and was left out" for name in extra]


def _rows(place: Path, wanted: RunWanted) -> list[dict[str, Any]]:
    if wanted.data is not None:
        return row_files.read(wanted.data)
    if wanted.run is None:
        raise InvalidInput(field="data", value=None, wanted="a file of rows, a dataset version, or an earlier run")
    return folders.rows_of(folders.get(place, wanted.run))


def _full(data: str | None) -> str | None:
    """A file by its whole path, a dataset version as it is."""
    return data if data is None or not Path(data).exists() else str(Path(data).absolute())


def _earlier(place: Path, name: str) -> list[RowResult]:
    """The rows of an earlier run; what it read of the data counts as its inputs, as in Prompt flow."""
    run = folders.get(place, name)
    data = folders.rows_of(run)
    found = folders.results_of(run)
    return [replace(row, inputs={**row.inputs, **(data[row.index] if row.index < len(data) else {})}) for row in found]


def _perform(
    place: Path,
    run: BatchRun,
    flow: LoadedFlow,
    rows: list[dict[str, Any]],
    manner: Manner,
    *,
    is_resumed: bool = False,
) -> Finished:
    run = replace(run, status=RunStatus.RUNNING, ended_at=None, error=None)
    clock = manner.clock or SystemClock()
    if is_resumed and holder_of(run.journal_file) is None:
        folders.save(run)
    if manner.started is not None:
        manner.started(run)
    earlier = _earlier(place, run.run) if run.run is not None else None

    def work(compute: Compute) -> Coroutine[Any, Any, BatchResult]:
        return run_batch(
            flow,
            rows,
            mapping=run.column_mapping,
            earlier=earlier,
            made_with={"init": run.init, "connections": run.connections} if run.init or run.connections else None,
            concurrency=manner.concurrency,
            row_timeout_s=manner.row_timeout_s,
            journal=run.journal_file,
            retry_failed=manner.retry_failed,
            cache=manner.cache,
            compute=compute,
            progress=manner.progress,
            clock=manner.clock,
        )

    try:
        # Begun outside of the event loop, which it would hold up, and where the command is: paths are relative to it.
        with (
            _compute(run, manner) as compute,
            at_home(flow.flow.folder) if manner.at_home else nullcontext(),
        ):
            result = waited(work(compute))
    except BaseException as error:
        if is_resumed and isinstance(error, Conflict):
            raise  # somebody else's run, or another flow's: it is left as it is
        is_stopped = isinstance(error, KeyboardInterrupt | asyncio.CancelledError)
        status = RunStatus.INTERRUPTED if is_stopped else RunStatus.FAILED
        said = None if is_stopped else str(error)
        found = folders.results_of(run)
        folders.save(_counted(run, found, status=status, error=said, ended_at=clock.now()))
        raise
    run = _counted(
        run,
        result.rows,
        status=RunStatus.COMPLETED,
        error=result.aggregate_error,
        ended_at=clock.now(),
        left_out=len(result.left_out),
        metrics=result.aggregate.metrics,
    )
    folders.write_outputs(run, result.rows, result.aggregate.outputs)
    folders.save(run)
    return Finished(run, result)


def _compute(run: BatchRun, manner: Manner) -> AbstractContextManager[Compute]:
    return chosen(list(run.environment_variables)) if manner.compute is None else nullcontext(manner.compute)


def _counted(run: BatchRun, rows: Any, **changes: Any) -> BatchRun:
    completed = sum(row.is_completed for row in rows)
    counts = {"completed_rows": completed, "failed_rows": len(rows) - completed}
    return replace(run, tokens=summed(row.tokens for row in rows), **counts, **changes)


def waited(work: Coroutine[Any, Any, T]) -> T:
    """The outcome of asynchronous work, for synchronous callers, inside of an event loop too."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as thread:  # the caller's loop waits meanwhile, as it does for any synchronous call
        return thread.submit(copy_context().run, asyncio.run, work).result()


def _safe(name: str) -> str:
    text = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    return text.lstrip("._-")[:120] or "flow"
