"""A callable as an evaluator: called for each row, its answer read strictly.

It gives a number, true or false, or a mapping of names to these. Texts in a mapping are notes. What is none of this, a
NaN and an error are failures of the row, told with the row and counted.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opsloop.core.errors import shown
from opsloop.evaluation.evaluators.asking import ITSELF, Ask, Asked
from opsloop.flows.threads import NodeThreads

# Calls that wait for something outside, at a time.
CALLS_AT_ONCE = 16
NOTE_CHARS = 2_000


def asking(make: Callable[[], Callable[..., Any]]) -> Ask:
    """Args:
    make: gives the callable; called once, when the first rows are to be scored.
    """

    async def ask(rows: Sequence[Mapping[str, Any]]) -> Sequence[Asked]:
        if not rows:
            return []
        target, threads, turn = make(), NodeThreads(), asyncio.Semaphore(CALLS_AT_ONCE)

        async def one(row: Mapping[str, Any]) -> Asked:
            async with turn:
                return await _asked(target, {name: value for name, value in row.items() if value is not None}, threads)

        return await asyncio.gather(*map(one, rows))

    return ask


async def _asked(target: Callable[..., Any], given: dict[str, Any], threads: NodeThreads) -> Asked:
    try:
        if _is_async(target):
            value = await target(**given)
        else:
            outcome = await threads.run(target, given)
            if outcome.error is not None:
                return _failed(outcome.error)
            value = await outcome.value if inspect.isawaitable(outcome.value) else outcome.value
    except (Exception, SystemExit) as error:  # noqa: BLE001 (the rim of users' code: the row is told and counted)
        return _failed(error)
    return answer_of(value)


def _failed(error: BaseException) -> Asked:
    return Asked(error=f"{type(error).__name__}: {error}"[:NOTE_CHARS])


def _is_async(target: Callable[..., Any]) -> bool:
    called = target if inspect.isroutine(target) else getattr(target, "__call__", target)  # noqa: B004
    return inspect.iscoroutinefunction(called)


def answer_of(value: Any) -> Asked:
    """What a callable gave, as scores."""
    if not isinstance(value, Mapping):
        number = _number(value)
        return Asked(error=_wrong(value)) if number is None else Asked({ITSELF: number})
    numbers = {str(name): _number(each) for name, each in value.items() if not _is_told(each)}
    if not numbers:
        return Asked(error=f"it gave {shown(value)}; wanted at least one number")
    notes = [f"{name}: {each}" for name, each in value.items() if isinstance(each, str) and each]
    return Asked(numbers, note="\n".join(notes)[:NOTE_CHARS])


def _is_told(value: Any) -> bool:
    """Whether it is no figure, but says something beside one."""
    return isinstance(value, str | list | tuple | Mapping)


def _number(value: Any) -> float | None:
    """Also of numpy's numbers; None for what is no finite number."""
    if isinstance(value, str | bytes) or not hasattr(value, "__float__"):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _wrong(value: Any) -> str:
    return f"it gave {shown(value)}; wanted a finite number, true or false, or a mapping of names to these"
