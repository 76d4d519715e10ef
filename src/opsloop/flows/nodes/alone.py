"""Functions that take over the process's output while they run: one at a time, for there is one output.

Users' Python that executes code sets `sys.stdout` and reads what was printed. Prompt flow runs each row in a process of
its own; here rows run in threads, and two such functions at once would read each other's output without anybody
knowing. What is looked at is the function's own file and those of the flow that it takes names from.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from opsloop.flows.user_code import PREFIX

_TAKES_OVER = re.compile(r"\bsys\.(?:stdout|stderr)\s*=(?!=)|\bredirect_std(?:out|err)\b")
_output = threading.RLock()
# Longer than a row that prints takes; a function that waits for another of its kind must not wait for ever.
WAIT_S = 120.0


def alone(function: Callable[..., Any], written: object) -> Callable[..., Any]:
    """The function, alone with the output while it runs, where it takes that over; else as it is.

    Args:
        written: what its author wrote.
    """
    if inspect.isgeneratorfunction(function) or not _takes_over(written):
        return function

    @functools.wraps(function, updated=())  # it may be an object, with attributes of its own
    def called(*args: Any, **kwargs: Any) -> Any:
        is_alone = _output.acquire(timeout=WAIT_S)
        before = sys.stdout, sys.stderr
        try:
            return function(*args, **kwargs)
        finally:
            if is_alone:
                sys.stdout, sys.stderr = before  # it may have left without putting them back
                _output.release()

    return called


def _takes_over(written: object) -> bool:
    called = written if inspect.isroutine(written) else type(written).__call__
    names = getattr(inspect.unwrap(getattr(called, "__func__", called)), "__globals__", None)
    return names is not None and any(_TAKES_OVER.search(text) for text in _texts(names))


def _texts(names: dict[str, Any]) -> Iterator[str]:
    """The source of a module, and of those of the flow that its names come from."""
    modules = {names.get("__name__")}
    for value in names.values():
        module = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
        if isinstance(module, str) and module.startswith(PREFIX):
            modules.add(module)
    for name in modules:
        file = getattr(sys.modules.get(str(name)), "__file__", None)
        if isinstance(file, str) and file.endswith(".py"):
            try:
                yield Path(file).read_text("utf-8", "replace")
            except OSError:
                continue
