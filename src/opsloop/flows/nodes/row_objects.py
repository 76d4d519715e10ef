"""The objects of a flow's class: each row that is under way has one to itself, for it may keep what belongs to a row.

Prompt flow gives each of its processes an object, which runs one row at a time; users' classes count on that.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any


class RowObjects:
    """Called like one of them.

    Args:
        first: the object that is there already.
        make: makes another, when all are at work.
    """

    def __init__(self, first: Callable[..., Any], make: Callable[[], Callable[..., Any]]) -> None:
        self._make = make
        self._free = [first]
        self._lock = threading.Lock()

    def __call__(self, **inputs: Any) -> Any:
        with self._lock:
            taken = self._free.pop() if self._free else None
        each = self._make() if taken is None else taken
        is_passed_on = False
        try:
            value = each(**inputs)
            is_passed_on = inspect.isgenerator(value)
            return self._given_back_after(value, each) if is_passed_on else value
        finally:
            if not is_passed_on:
                self._give_back(each)

    def _given_back_after(self, pieces: Iterator[Any], each: Callable[..., Any]) -> Iterator[Any]:
        try:
            yield from pieces
        finally:
            self._give_back(each)

    def _give_back(self, each: Callable[..., Any]) -> None:
        with self._lock:
            self._free.append(each)
