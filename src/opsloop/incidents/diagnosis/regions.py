"""The lines around the telling ones, kept while a log is read once: what a model is shown of it."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

BEFORE, AFTER, TAIL = 8, 8, 30
# Windows of a log; 40 of at most 38 lines of 2,000 bytes are 3 MB.
WINDOWS = 40
LINE_BYTES = 2000


@dataclass(order=True, slots=True)
class _Window:
    weight: float
    later: int
    lines: list[tuple[int, bytes]] = field(compare=False)


class Regions:
    """Follows a log line by line; memory does not grow with it."""

    def __init__(self) -> None:
        self._last: deque[tuple[int, bytes]] = deque(maxlen=TAIL + 1)
        self._kept: list[_Window] = []
        self._open: deque[_Window] = deque()

    def take(self, number: int, raw: bytes) -> None:
        """The next line of the log."""
        one = (number, raw[:LINE_BYTES])
        self._last.append(one)
        while self._open and -self._open[0].later + AFTER < number:
            self._open.popleft()
        for each in self._open:
            each.lines.append(one)

    def tells(self, number: int, weight: float, *, before: int = BEFORE) -> None:
        """The line that was taken last tells so much."""
        if len(self._kept) == WINDOWS and weight <= self._kept[0].weight:
            return
        made = _Window(weight, -number, list(self._last)[-before - 1 :])
        if len(self._kept) < WINDOWS:
            heapq.heappush(self._kept, made)
        else:
            heapq.heapreplace(self._kept, made)
        self._open.append(made)

    def ends_step(self, number: int) -> None:
        """The line that was taken last says that a step failed: what was printed before it is worth most."""
        self.tells(number, 20.0, before=TAIL)

    def lines(self, first: Sequence[int]) -> dict[int, bytes]:
        """Raw lines by number; those near the lines that are named come first, then by weight.

        Args:
            first: numbers of the best lines, best first.
        """
        places = {number: place for place, number in enumerate(first)}
        windows = sorted(self._kept, key=lambda each: (places.get(-each.later, len(places)), -each.weight, -each.later))
        found: dict[int, bytes] = {}
        for window in windows:
            for number, raw in window.lines:
                found.setdefault(number, raw)
        return found
