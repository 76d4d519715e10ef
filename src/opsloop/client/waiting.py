"""Look at something again and again until it is over, or until nobody wants to wait longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


def looks(
    look: Callable[[], T],
    is_over: Callable[[T], bool],
    *,
    timeout_s: float | None,
    every_s: float,
    pause: Callable[[float], None],
) -> Iterator[T]:
    """What each look shows, the last one too; one at least.

    Args:
        timeout_s: longest time of all pauses, in seconds; None for as long as it takes.
    """
    waited_s = 0.0
    while True:
        found = look()
        yield found
        if is_over(found) or (timeout_s is not None and waited_s >= timeout_s):
            return
        pause(every_s)
        waited_s += every_s


def changes(found: Iterator[T]) -> Iterator[T]:
    """What is not as the look before it showed it."""
    last: T | None = None
    for each in found:
        if each != last:
            yield each
            last = each


def last(found: Iterator[T], tell: Callable[[T], None]) -> T:
    """What the last look showed; `tell` hears of every one."""
    each = next(found)
    tell(each)
    for each in found:
        tell(each)
    return each
