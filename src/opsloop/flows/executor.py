"""Runs a plan: each node as soon as what it waits for is there, all on one event loop.

A node is bypassed when its condition does not hold, or, without a condition, when all nodes it reads were bypassed;
what it would have given is then None. When a node fails the others are cancelled.
"""

from __future__ import annotations

import asyncio
import threading
import time
import traceback
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from opsloop.core.clock import Clock
from opsloop.core.errors import Kind, OpsloopError, shown
from opsloop.flows import metrics, spans
from opsloop.flows.call import Call, Emit, current_call
from opsloop.flows.errors import (
    FlowRunError,
    InputInvalid,
    NodeFailed,
    NodeRefused,
    NodeTimedOut,
    NodeUnavailable,
    suggestion,
)
from opsloop.flows.fetching import fetch
from opsloop.flows.formats.references import StepMissing, follow
from opsloop.flows.images import Fetch, as_image, holds_image_mapping, left_there, with_images
from opsloop.flows.models import Flow, FlowFormat, FlowInput, Literal, ValueType
from opsloop.flows.nodes.port import ToolRaised
from opsloop.flows.plan import Constant, Plan, Step, Wire
from opsloop.flows.results import AggregateResult, FlowResult, NodeRun, NodeStatus, TextDelta, summed
from opsloop.flows.threads import ThreadsLost
from opsloop.flows.values import WrongType, coerce
from opsloop.llm.retrying import deadline_s

_WITH_IMAGES = (ValueType.IMAGE, ValueType.LIST, ValueType.OBJECT, ValueType.ANY)
_PENDING_DELTAS = 64
_REASON_CHARS = 500
_NO_CALL = Call()
_PROMPTFLOW = ("opsloop.flows.compat.exceptions", "promptflow.exceptions")


@dataclass(frozen=True, slots=True)
class Limits:
    """`node_timeout_s` is the longest a node may take, in seconds; None for as long as it likes."""

    node_timeout_s: float | None = 300.0


def checked_inputs(flow: Flow, given: Mapping[str, Any]) -> dict[str, Any]:
    """The flow's inputs from what a caller gave and the defaults, in the declared types. Other keys are left out.

    Raises: InputInvalid naming the input, the value and the wanted form.
    """
    inputs = {}
    for name, each in flow.inputs.items():
        if name not in given:
            if not each.has_default:
                others = [key for key in given if key not in flow.inputs]
                got = f"; got {', '.join(map(repr, others))}" if others else ""
                wanted = f"a value ({each.type.value}) for this input of flow {flow.name}{got}"
                raise InputInvalid(f"inputs.{name} is missing: wanted {wanted}", field=f"inputs.{name}", wanted=wanted)
            inputs[name] = each.default
            continue
        try:
            inputs[name] = coerce(given[name], each.type)
        except WrongType as error:
            if flow.format is FlowFormat.PROMPTY:  # its types are for the reader: the template takes what comes
                inputs[name] = given[name]
                continue
            raise InputInvalid(field=f"inputs.{name}", value=given[name], wanted=error.wanted) from None
    return inputs


def spread(value: Any) -> dict[str, Any]:
    """The outputs of a flow that is one function or prompt: the keys of a mapping, the fields of a dataclass, else
    the one output there is."""
    if isinstance(value, Mapping):
        return dict(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    return {"output": value}


async def _loaded_images(plan: Plan, inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs with images as such, where the flow takes any. Raises: InputInvalid, NotFetched."""
    flow = plan.flow
    names = [name for name, each in flow.inputs.items() if each.type in _WITH_IMAGES and inputs[name]]
    if not names or not any(_may_hold_image(flow.inputs[name], inputs[name]) for name in names):
        return inputs
    # In a thread: a file is read, or an address fetched.
    return await asyncio.to_thread(with_images_loaded, flow, inputs, fetch if plan.reads_images else left_there)


def with_images_loaded(flow: Flow, inputs: Mapping[str, Any], fetch: Fetch = left_there) -> dict[str, Any]:
    """The inputs with images as such.

    Args:
        fetch: gets the bytes behind a URL; by default they stay where they are, for a model can look there itself.
    Raises: InputInvalid, NotFetched.
    """
    found = dict(inputs)
    for name in [name for name, each in flow.inputs.items() if each.type in _WITH_IMAGES and inputs[name]]:
        convert = as_image if flow.inputs[name].type is ValueType.IMAGE else with_images
        found[name] = convert(inputs[name], folder=flow.folder, fetch=fetch, field=f"inputs.{name}")
    return found


def _may_hold_image(declared: FlowInput, value: Any) -> bool:
    return declared.type is ValueType.IMAGE or holds_image_mapping(value)


async def run(
    plan: Plan, given: Mapping[str, Any], *, clock: Clock, limits: Limits, emit: Emit | None = None
) -> FlowResult:
    """Run one row.

    Args:
        emit: where the chat output's text goes while it is made.
    Raises: InputInvalid, FlowRunError with the traces so far.
    """
    inputs = await _loaded_images(plan, checked_inputs(plan.flow, given))
    with spans.flow_span(plan.flow) as span:
        row = _Pass(plan, plan.steps, inputs, clock, limits, emit=emit)
        try:
            await row.run_all()
            return row.result(row.outputs(), row.for_aggregation())
        except FlowRunError as error:
            spans.fail(span, error)
            error.result = row.result({}, {})
            raise


class Run(Protocol):
    """As `run`."""

    async def __call__(
        self, plan: Plan, given: Mapping[str, Any], *, clock: Clock, limits: Limits, emit: Emit | None = None
    ) -> FlowResult: ...


async def stream(
    plan: Plan, given: Mapping[str, Any], *, clock: Clock, limits: Limits, run: Run = run
) -> AsyncGenerator[TextDelta | FlowResult, None]:
    """Run one row and give the chat output's text as it is made; the last item is the result.

    Args:
        run: what runs the row.

    Closing the iterator cancels the run. Raises: as `run`.
    """
    pieces: asyncio.Queue[str | None] = asyncio.Queue(_PENDING_DELTAS)

    async def work() -> FlowResult:
        try:
            return await run(plan, given, clock=clock, limits=limits, emit=pieces.put)
        finally:
            task = asyncio.current_task()
            if task is not None and not task.cancelling():  # else nobody reads the queue any more
                await pieces.put(None)

    task = asyncio.create_task(work())
    emitted = False
    try:
        while (piece := await pieces.get()) is not None:
            emitted = True
            yield TextDelta(piece)
        result = await task
        text = result.outputs.get(plan.flow.chat_output or "")
        if not emitted and isinstance(text, str) and text:
            yield TextDelta(text)
        yield result
    finally:
        await _cancelled([task])


async def aggregate(plan: Plan, rows: Sequence[Mapping[str, Any]], *, clock: Clock, limits: Limits) -> AggregateResult:
    """Run the aggregation nodes over completed rows.

    Args:
        rows: `for_aggregation` of each completed row.
    Raises: FlowRunError.
    """
    if not plan.aggregation:
        return AggregateResult({}, {})
    columns = {wire.name: [row.get(wire.name) for row in rows] for wire in plan.aggregated}
    after = _Pass(plan, plan.aggregation, {}, clock, limits, columns=columns)
    with metrics.collecting() as collected:
        try:
            await after.run_all()
        except FlowRunError as error:
            error.result = after.result({}, {})
            raise
    outputs = {step.node.name: after.values[step.index] for step in plan.aggregation}
    return AggregateResult(outputs, dict(collected), after.traces_in_order())


class _Pass:
    """The state of one pass over steps: those of a row, or those of the aggregation.

    Args:
        columns: what the aggregation reads of the rows, by the text of the reference.
    """

    def __init__(
        self,
        plan: Plan,
        steps: Sequence[Step],
        inputs: Mapping[str, Any],
        clock: Clock,
        limits: Limits,
        *,
        emit: Emit | None = None,
        columns: Mapping[str, list[Any]] | None = None,
    ) -> None:
        count = len(plan.steps) + len(plan.aggregation)
        self.plan = plan
        self.steps = steps
        self.inputs = inputs
        self.clock = clock
        self.limits = limits
        self.emit = emit
        self.columns = columns
        self.values: list[Any] = [None] * count
        self.given: dict[int, Mapping[str, Any]] = {}
        self.bypassed = [False] * count
        self.missing = {step.index: step.waits for step in steps}
        self.by_index = {step.index: step for step in steps}
        self.ready = deque(step for step in steps if step.waits == 0)
        self.traces: dict[int, NodeRun] = {}
        self.started_at: datetime = clock.now()
        self.start_s = clock.monotonic_s()

    async def run_all(self) -> None:
        running: dict[asyncio.Task[None], Step] = {}
        try:
            while self.ready or running:
                while self.ready:
                    step = self.ready.popleft()
                    if self._is_bypassed(step):
                        self._bypass(step)
                    elif not self.ready and not running and self._runs_in_thread(step):
                        await self._run_line(step, go_on=True)  # nothing else can run beside it: no task is needed
                    elif not self.ready and not running and step.runner.leaves_context:
                        await self._run_on_loop(step)  # as above
                        self._release(step)
                    else:
                        running[asyncio.create_task(self._run(step))] = step
                if running:
                    done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        await task
                        self._release(running.pop(task))
        finally:
            if running:
                await _cancelled(running)

    async def _run(self, step: Step) -> None:
        """Run a step beside others."""
        await (self._run_line(step, go_on=False) if self._runs_in_thread(step) else self._run_on_loop(step))

    def _release(self, step: Step) -> None:
        for fed in step.feeds:
            self.missing[fed] -= 1
            if self.missing[fed] == 0:
                self.ready.append(self.by_index[fed])

    # --- bypassing ---------------------------------------------------------------------------------------------

    def _is_bypassed(self, step: Step) -> bool:
        if step.activate is not None:
            when = step.when
            if when is None:
                assert isinstance(step.activate.when, Literal)
                return bool(step.activate.when.value != step.activate.value)
            if when.source is not None and self.bypassed[when.source]:
                return True
            return bool(self._read(step, when) != step.activate.value)
        return bool(step.node_sources) and all(self.bypassed[source] for source in step.node_sources)

    def _bypass(self, step: Step) -> None:
        self.bypassed[step.index] = True
        start_ms = self._elapsed_ms()
        self.traces[step.index] = NodeRun(step.node.name, step.node.type, NodeStatus.BYPASSED, start_ms, 0.0)
        self._release(step)

    # --- one node ----------------------------------------------------------------------------------------------

    async def _run_on_loop(self, step: Step) -> None:
        call = Call(self.emit if step.index == self.plan.streams else None)
        token = current_call.set(call)
        try:
            with self._traced(step, call):
                self.values[step.index] = await self._within_time(step, call)
        finally:
            current_call.reset(token)

    async def _within_time(self, step: Step, call: Call) -> Any:
        inputs = self._inputs(step)
        timeout_s = self.limits.node_timeout_s
        # Told apart from a TimeoutError that the node itself raises by asking the timer.
        timer = asyncio.timeout(timeout_s)
        token = deadline_s.set(None if timeout_s is None else time.monotonic() + timeout_s)
        try:
            async with timer:
                return await step.runner.on_loop(inputs, call)
        except TimeoutError:
            if not timer.expired():
                raise
            raise NodeTimedOut(node=step.node.name, flow=self.plan.flow.name, timeout_s=timeout_s) from None
        finally:
            deadline_s.reset(token)

    def _inputs(self, step: Step) -> dict[str, Any]:
        inputs = dict(step.literals)
        for wire in step.wires:
            inputs[wire.name] = self._read(step, wire)
        self.given[step.index] = inputs
        return inputs

    @contextmanager
    def _traced(self, step: Step, call: Call) -> Iterator[None]:
        """Around the work of a node: its span, its trace, and what it raises turned into a sentence that names it."""
        node, start_ms = step.node, self._elapsed_ms()
        status, problem = NodeStatus.FAILED, None
        with spans.node_span(node) as span:
            try:
                yield
                status = NodeStatus.COMPLETED
            except asyncio.CancelledError as error:
                current = asyncio.current_task()
                if current is not None and current.cancelling():
                    status = NodeStatus.CANCELLED
                    raise
                problem = self._failure(step, error)
                raise problem from error
            except (Exception, SystemExit, KeyboardInterrupt) as error:
                if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
                    raise  # Ctrl-C of whoever runs this process; in another thread it is the tool's own
                cause = error.error if isinstance(error, ToolRaised) else error
                spans.fail(span, cause)
                problem = self._failure(step, cause)
                raise problem from cause
            finally:
                spans.describe(span, node, call)
                self._trace(step, status, start_ms, problem, call)

    def _trace(
        self, step: Step, status: NodeStatus, start_ms: float, problem: FlowRunError | None, call: Call = _NO_CALL
    ) -> None:
        self.traces[step.index] = NodeRun(
            node=step.node.name,
            type=step.node.type,
            status=status,
            start_ms=start_ms,
            duration_ms=self._elapsed_ms() - start_ms,
            output=self.values[step.index],
            error=None if problem is None else str(problem),
            tokens=call.tokens,
            inputs=self.given.get(step.index, {}),
            conversation=call.conversation,
            model=call.model,
        )

    # --- a line of nodes in one thread ---------------------------------------------------------------------------

    def _runs_in_thread(self, step: Step) -> bool:
        return step.runner.in_thread is not None and (self.emit is None or step.index != self.plan.streams)

    async def _run_line(self, step: Step, *, go_on: bool) -> None:
        """Run a step in a thread, and with `go_on` the steps after it, as long as one alone is ready."""
        loop = asyncio.get_running_loop()
        timeout_s = self.limits.node_timeout_s
        line = _Line(step, loop.time(), self._elapsed_ms())
        timer = asyncio.timeout(None)

        def check() -> None:
            """End the wait when the step at work is over its time; another step may have begun since the last look."""
            assert timeout_s is not None
            left_s = line.began_s + timeout_s - loop.time()
            line.alarm = loop.call_later(left_s, check) if left_s > 0 else None
            if left_s <= 0:
                timer.reschedule(loop.time())

        if timeout_s is not None:
            line.alarm = loop.call_later(timeout_s, check)
        try:
            async with timer:
                outcome = await self.plan.threads.run(self._walk, {"line": line, "go_on": go_on})
        except TimeoutError:
            problem = NodeTimedOut(node=line.step.node.name, flow=self.plan.flow.name, timeout_s=timeout_s)
            self._trace(line.step, NodeStatus.FAILED, line.start_ms, problem)
            raise problem from None
        except ThreadsLost as error:
            raise self._failure(step, error) from error
        except asyncio.CancelledError:
            self._trace(line.step, NodeStatus.CANCELLED, line.start_ms, None)
            raise
        finally:
            line.is_over = True
            if line.alarm is not None:
                line.alarm.cancel()
        if outcome.error is not None:
            raise outcome.error

    def _walk(self, line: _Line, go_on: bool) -> None:
        """In a thread. The loop waits for this line alone, so with `go_on` the state of the pass is this thread's."""
        step: Step | None = line.step
        while step is not None:
            call = Call()
            with self._traced(step, call):
                assert step.runner.in_thread is not None
                # Each node sees its caller's context, and none what another node did to its own.
                context = copy_context()
                context.run(current_call.set, call)
                value = context.run(step.runner.in_thread, self._inputs(step))
                if line.is_over:
                    return
                self.values[step.index] = value
            step = self._next_of(line, step) if go_on else None

    def _next_of(self, line: _Line, step: Step) -> Step | None:
        self._release(step)
        while len(self.ready) == 1:
            following = self.ready[0]
            if self._is_bypassed(following):
                self.ready.popleft()
                self._bypass(following)
            elif self._runs_in_thread(following):
                line.begin(self.ready.popleft(), self._elapsed_ms())
                return following
            else:
                return None
        return None

    def _failure(self, step: Step, error: BaseException) -> FlowRunError:
        if isinstance(error, FlowRunError):
            return error
        if _is_for_caller(error):
            reason = _cut(str(error)) or "what was sent cannot be used"
            return NodeRefused(node=step.node.name, flow=self.plan.flow.name, reason=reason)
        facts = {"node": step.node.name, "flow": self.plan.flow.name, "reason": _reason(error)}
        if isinstance(error, OpsloopError) and error.kind in (Kind.UNAVAILABLE, Kind.LIMITED, Kind.TIMED_OUT):
            return NodeUnavailable(**facts)
        return NodeFailed(**facts, where=_where(error, self.plan.flow.folder))

    def _read(self, step: Step, wire: Wire) -> Any:
        """The value a wire brings. Raises: NodeFailed when the value has no such part."""
        reference = wire.reference
        if self.columns is not None and (column := self.columns.get(str(reference))) is not None:
            return column
        if wire.source is None:
            value = self.inputs[reference.name]
        elif self.bypassed[wire.source]:
            return None
        else:
            value = self.values[wire.source]
        if not reference.path:
            return value
        try:
            return follow(value, reference.path)
        except StepMissing as error:
            problem = f"its input {wire.name} reads {reference}, but {_absent(error)}"
            raise NodeFailed(node=step.node.name, flow=self.plan.flow.name, reason=problem, where="") from None

    # --- the end -----------------------------------------------------------------------------------------------

    def outputs(self) -> dict[str, Any]:
        """The outputs of a row. Raises: NodeFailed."""
        if self.plan.flow.spreads is not None:
            return spread(self.values[self.plan.steps[0].index])
        return {
            each.name: each.value if isinstance(each, Constant) else self._given(f"output {each.name}", each)
            for each in self.plan.outputs
        }

    def for_aggregation(self) -> dict[str, Any]:
        """What the aggregation needs of a row, by the text of the reference. Raises: NodeFailed."""
        return {wire.name: self._given("the aggregation", wire) for wire in self.plan.aggregated}

    def _given(self, reader: str, wire: Wire) -> Any:
        if wire.source is not None and self.bypassed[wire.source]:
            return None
        value = self.inputs[wire.reference.name] if wire.source is None else self.values[wire.source]
        try:
            return follow(value, wire.reference.path)
        except StepMissing as error:
            node = "inputs" if wire.source is None else self.by_index[wire.source].node.name
            problem = f"{reader} reads {wire.reference}, but {_absent(error)}"
            raise NodeFailed(node=node, flow=self.plan.flow.name, reason=problem, where="") from None

    def traces_in_order(self) -> tuple[NodeRun, ...]:
        return tuple(self.traces[step.index] for step in self.steps if step.index in self.traces)

    def result(self, outputs: Mapping[str, Any], for_aggregation: Mapping[str, Any]) -> FlowResult:
        runs = self.traces_in_order()
        return FlowResult(
            outputs=outputs,
            nodes=runs,
            started_at=self.started_at,
            duration_ms=self._elapsed_ms(),
            tokens=summed(each.tokens for each in runs),
            for_aggregation=for_aggregation,
        )

    def _elapsed_ms(self) -> float:
        return (self.clock.monotonic_s() - self.start_s) * 1000


class _Line:
    """Where a thread is on its line of steps, for the loop that watches it."""

    __slots__ = ("alarm", "began_s", "is_over", "start_ms", "step")

    def __init__(self, step: Step, began_s: float, start_ms: float) -> None:
        self.step = step
        self.began_s = began_s
        self.start_ms = start_ms
        self.is_over = False
        self.alarm: asyncio.TimerHandle | None = None

    def begin(self, step: Step, start_ms: float) -> None:
        self.began_s = time.monotonic()  # what event loops go by
        self.step, self.start_ms = step, start_ms


def _absent(error: StepMissing) -> str:
    known = f" (there is {', '.join(error.known[:8])})" if error.known else ""
    return f"{shown(error.value, limit=40)} has no {error.step!r}{known}{suggestion(error.step, error.known)}"


def _reason(error: BaseException) -> str:
    text = str(error)
    if isinstance(error, OpsloopError):
        return text
    text = _cut(text)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _cut(text: str) -> str:
    return text if len(text) <= _REASON_CHARS else f"{text[:_REASON_CHARS]}…"


def _is_for_caller(error: BaseException) -> bool:
    """Whether it is a UserErrorException: ours, or that of Microsoft's package, which is not imported for it."""
    error = error.error if isinstance(error, ToolRaised) else error
    return any(each.__name__ == "UserErrorException" and each.__module__ in _PROMPTFLOW for each in type(error).__mro__)


def _where(error: BaseException, folder: Path) -> str:
    """` (answer.py, line 12)`: the innermost line of the flow's own code that the error passed."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(folder):
            return f" ({Path(frame.filename).relative_to(folder)}, line {frame.lineno})"
    return ""


async def _cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they have ended."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
