"""`from promptflow.tracing import trace`: a span around each call of a function."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from opentelemetry import trace as _otel

F = TypeVar("F", bound=Callable[..., Any])
_tracer = _otel.get_tracer("promptflow")


def start_trace(**_: Any) -> None:
    """Does nothing: traces go where this process sends them."""


def trace(func: F) -> F:
    """Put a span around each call, be it synchronous, asynchronous or a generator."""
    name = getattr(func, "__qualname__", "call")
    wrapped: Any
    if inspect.isasyncgenfunction(func):

        @functools.wraps(func)
        async def wrapped(*args: Any, **kwargs: Any) -> Any:
            with _tracer.start_as_current_span(name):
                async for item in func(*args, **kwargs):
                    yield item

    elif inspect.iscoroutinefunction(func):

        @functools.wraps(func)
        async def wrapped(*args: Any, **kwargs: Any) -> Any:
            with _tracer.start_as_current_span(name):
                return await func(*args, **kwargs)

    elif inspect.isgeneratorfunction(func):

        @functools.wraps(func)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            # Not made current: a generator may be resumed in another context than it started in.
            with _tracer.start_span(name):
                yield from func(*args, **kwargs)

    else:

        @functools.wraps(func)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with _tracer.start_as_current_span(name):
                return func(*args, **kwargs)

    return wrapped


class ThreadPoolExecutorWithContext(ThreadPoolExecutor):
    """A pool whose threads see the context of whoever submits to them."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return super().submit(copy_context().run, fn, *args, **kwargs)


__all__ = ["ThreadPoolExecutorWithContext", "start_trace", "trace"]
