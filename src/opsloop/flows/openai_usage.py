"""Counts the tokens of calls that users' Python makes with OpenAI's own client, for the node that is running.

The client's methods are wrapped once in a process, as soon as a flow has imported it; outside of a node they do what
they did. A call whose answer holds no count, such as a stream that was not asked for one, is counted as uncounted.
Where a request has a budget, what a call can cost is held back before it is sent, as for the calls of LLM nodes.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opsloop.flows.call import Call, current_call
from opsloop.flows.results import TokenUse
from opsloop.llm import spending
from opsloop.llm.port import Usage
from opsloop.llm.spending import Bill, Most

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
_ASKED = (
    *("max_tokens", "max_completion_tokens", "max_output_tokens", "n", "best_of"),
    *("tools", "functions", "response_format"),
)
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
            return await _counted_later(create(*args, **kwargs), kwargs)

    else:

        @functools.wraps(create)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if _is_async(args):  # some of the asynchronous methods are plain functions that give what is awaited
                return _counted_later(create(*args, **kwargs), kwargs)
            bill = spending.begun_now(_most(kwargs))
            with _told(bill):
                return _counted(create(*args, **kwargs), bill)

    setattr(wrapped, _MARK, True)
    return wrapped  # type: ignore[no-any-return]  # the border to another library's functions


def _is_async(args: tuple[Any, ...]) -> bool:
    return bool(args) and type(args[0]).__name__.startswith("Async")


async def _counted_later(made: Any, asked: Mapping[str, Any]) -> Any:
    try:
        bill = await spending.begun(_most(asked))
    except BaseException:
        made.close()  # it was not begun
        raise
    with _told(bill):
        return _counted(await made, bill)


def _most(asked: Mapping[str, Any]) -> Most | None:
    """The most that a call can use, from what the client was given; what it was not given counts as nothing."""
    content = [asked[name] for name in ("messages", "prompt", "instructions", "input") if asked.get(name)]
    model = str(asked.get("model") or "")
    is_embedding = not ({"messages", "prompt", "instructions"} & asked.keys()) and "embedding" in model
    if is_embedding:
        return spending.most_of_texts(model, [str(each) for each in content])
    return spending.most_of(model, content, {key: value for key, value in asked.items() if key in _ASKED})


@contextmanager
def _told(bill: Bill) -> Iterator[None]:
    """A call that its server refused is given back; of any other failure nobody knows what it cost."""
    try:
        yield
    except BaseException as error:
        if isinstance(getattr(error, "status_code", None), int):
            bill.give_back()
        bill.ended(error)
        raise


def _counted(answer: Any, bill: Bill) -> Any:
    call = current_call.get(None)
    if call is None and not bill.is_counted:
        return answer
    usage = getattr(answer, "usage", None)
    if usage is None and hasattr(answer, "_iterator"):
        _count_stream(answer, call, bill)
        return answer
    if call is not None:
        call.add(_used(usage))
    _settle(bill, answer, usage)
    return answer


def _settle(bill: Bill, answer: Any, usage: Any) -> None:
    used = _used(usage)
    if used.uncounted_calls:
        bill.ended(None)
    else:
        bill.settle(str(getattr(answer, "model", "") or ""), Usage(used.prompt, used.completion))


def _count_stream(stream: Any, call: Call | None, bill: Bill) -> None:
    """Count a stream when its last part tells, and as uncounted when none does."""
    parts, seen = stream._iterator, []

    def noted(part: Any) -> Any:
        usage = getattr(part, "usage", None) or getattr(getattr(part, "response", None), "usage", None)
        if usage is not None:
            seen.append((part, usage))
        return part

    def counted() -> None:
        part, usage = seen[-1] if seen else (None, None)
        if call is not None:
            call.add(_used(usage))
        _settle(bill, part, usage)

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
