"""Counts the tokens of calls that users' Python makes with OpenAI's own client, for the node that is running.

The client's methods are wrapped once in a process, as soon as a flow has imported it; outside of a node they do what
they did. A call whose answer holds no count, such as a stream that was not asked for one, is counted as uncounted.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import threading
from collections.abc import Callable
from typing import Any

from opsloop.flows.call import Call, current_call
from opsloop.flows.results import TokenUse

_METHODS = (
    ("openai.resources.chat.completions", "Completions"),
    ("openai.resources.chat.completions", "AsyncCompletions"),
    ("openai.resources.completions", "Completions"),
    ("openai.resources.completions", "AsyncCompletions"),
    ("openai.resources.embeddings", "Embeddings"),
    ("openai.resources.embeddings", "AsyncEmbeddings"),
    ("openai.resources.responses", "Responses"),
    ("openai.resources.responses", "AsyncResponses"),
)
_MARK = "_opsloop_counts"
_lock = threading.Lock()


def count_openai_calls() -> None:
    """Wrap the client's methods, where it is imported and they are not wrapped yet."""
    if "openai" not in sys.modules or hasattr(sys.modules["openai"], _MARK):
        return
    with _lock:
        for module, name in _METHODS:
            try:
                kind = getattr(importlib.import_module(module), name)
            except (ImportError, AttributeError):
                continue  # another version of the client: it has no such calls
            if not hasattr(kind.create, _MARK):
                kind.create = _counting(kind.create)
        setattr(sys.modules["openai"], _MARK, True)


def _counting(create: Callable[..., Any]) -> Callable[..., Any]:
    wrapped: Any
    if inspect.iscoroutinefunction(inspect.unwrap(create)):

        @functools.wraps(create)
        async def wrapped(*args: Any, **kwargs: Any) -> Any:
            return _counted(await create(*args, **kwargs))

    else:

        @functools.wraps(create)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            made = create(*args, **kwargs)
            # Some of the asynchronous methods are plain functions that give what is awaited.
            return _counted_later(made) if inspect.isawaitable(made) else _counted(made)

    setattr(wrapped, _MARK, True)
    return wrapped  # type: ignore[no-any-return]  # the border to another library's functions


async def _counted_later(made: Any) -> Any:
    return _counted(await made)


def _counted(answer: Any) -> Any:
    call = current_call.get(None)
    if call is None:
        return answer
    usage = getattr(answer, "usage", None)
    if usage is None and hasattr(answer, "_iterator"):
        _count_stream(answer, call)
    else:
        call.add(_used(usage))
    return answer


def _count_stream(stream: Any, call: Call) -> None:
    """Count a stream when its last part tells, and as uncounted when none does."""
    parts, seen = stream._iterator, []

    def noted(part: Any) -> Any:
        if (usage := getattr(part, "usage", None)) is not None:
            seen.append(usage)
        return part

    def counted() -> None:
        call.add(_used(seen[-1] if seen else None))

    async def of_async() -> Any:
        try:
            async for part in parts:
                yield noted(part)
        finally:
            counted()

    def of_sync() -> Any:
        try:
            for part in parts:
                yield noted(part)
        finally:
            counted()

    stream._iterator = of_async() if hasattr(parts, "__anext__") else of_sync()


def _used(usage: Any) -> TokenUse:
    prompt = _first(usage, "prompt_tokens", "input_tokens")
    if prompt is None:
        return TokenUse(calls=1, uncounted_calls=1)
    return TokenUse(prompt, _first(usage, "completion_tokens", "output_tokens") or 0, calls=1)


def _first(usage: Any, *names: str) -> int | None:
    found = (getattr(usage, name, None) for name in names)
    return next((value for value in found if isinstance(value, int)), None)
