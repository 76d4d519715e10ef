"""Runners of Python functions: synchronous ones in threads, asynchronous ones on the loop, generators piece by piece.

Both run in a copy of the caller's context. What a generator gives is passed on where its node makes the chat output,
and put together in any case.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

from opsloop.flows.call import Call
from opsloop.flows.nodes.alone import alone
from opsloop.flows.nodes.port import Runner, ToolRaised
from opsloop.flows.threads import NodeThreads

_END = object()


def runner_of(
    function: Callable[..., Any], literals: Mapping[str, Any], threads: NodeThreads, *, written: object = None
) -> Runner:
    """A runner that calls the function with the node's inputs.

    Args:
        literals: inputs that never change.
        written: what its author wrote, where the function stands in for that.
    """
    called = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004
    if inspect.isasyncgenfunction(called):
        return _async_generator(function, literals)
    if inspect.iscoroutinefunction(called):
        return _coroutine(function, literals, threads)
    return _synchronous(alone(function, written or function), literals, threads)


def _synchronous(function: Callable[..., Any], literals: Mapping[str, Any], threads: NodeThreads) -> Runner:
    async def run(inputs: dict[str, Any], call: Call) -> Any:
        outcome = await threads.run(function, {**inputs, **literals})
        if outcome.error is not None:
            raise ToolRaised(outcome.error)
        value = outcome.value
        if _is_generator(value):
            return await _drained(_in_threads(value, threads), call)
        return await _drained(value, call) if inspect.isasyncgen(value) else value

    def run_in_thread(inputs: dict[str, Any]) -> Any:
        value = function(**{**inputs, **literals})
        return joined(list(value)) if _is_generator(value) else value

    return Runner(run, in_thread=run_in_thread)


def _coroutine(function: Callable[..., Any], literals: Mapping[str, Any], threads: NodeThreads) -> Runner:
    async def run(inputs: dict[str, Any], call: Call) -> Any:
        try:
            value = await function(**{**inputs, **literals})
        except (Exception, SystemExit) as error:  # the rim of users' code: the executor names the node and the line
            raise ToolRaised(error) from error
        if _is_generator(value):
            return await _drained(_in_threads(value, threads), call)
        return await _drained(value, call) if inspect.isasyncgen(value) else value

    return Runner(run)


def _async_generator(function: Callable[..., Any], literals: Mapping[str, Any]) -> Runner:
    async def run(inputs: dict[str, Any], call: Call) -> Any:
        return await _drained(function(**{**inputs, **literals}), call)

    return Runner(run)


def _is_generator(value: object) -> bool:
    """A generator, or an iterator that stands in for one, such as the traced stream of a model."""
    return inspect.isgenerator(value) or (
        isinstance(value, Iterator) and type(value).__name__.endswith(("Generator", "Stream", "GeneratorProxy"))
    )


async def _in_threads(generator: Iterator[Any], threads: NodeThreads) -> AsyncIterator[Any]:
    """A synchronous generator's items, each made in a thread."""

    def following() -> Any:
        return next(generator, _END)

    while True:
        outcome = await threads.run(following, {})
        if outcome.error is not None:
            raise outcome.error
        if outcome.value is _END:
            return
        yield outcome.value


async def _drained(items: AsyncIterator[Any], call: Call) -> Any:
    """All items: as one text when they are text, else as a list. Each is emitted where somebody listens."""
    gathered = []
    try:
        async for item in items:
            gathered.append(item)
            if call.emit is not None:
                await call.emit(item if isinstance(item, str) else str(item))
    except (Exception, SystemExit) as error:  # the rim of users' code, as above
        raise ToolRaised(error) from error
    return joined(gathered)


def joined(items: list[Any]) -> Any:
    """The pieces of a generator as one value."""
    return "".join(items) if all(isinstance(item, str) for item in items) else items
