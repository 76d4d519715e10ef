from __future__ import annotations

from collections.abc import Iterator

from opsloop.client.waiting import changes, last, looks


class Work:
    """What is at 0, 0, 1, 1, 2 … and over at `end`; pauses are counted and not made."""

    def __init__(self, end: int) -> None:
        self._end = end
        self._asked = 0
        self.pauses: list[float] = []

    def looks(self, timeout_s: float | None = None) -> Iterator[int]:
        return looks(self._look, self._is_over, timeout_s=timeout_s, every_s=0.5, pause=self.pauses.append)

    def _look(self) -> int:
        self._asked += 1
        return (self._asked - 1) // 2

    def _is_over(self, found: int) -> bool:
        return found >= self._end


def test_looks_end_with_the_one_that_shows_the_end() -> None:
    work = Work(end=2)
    assert list(work.looks()) == [0, 0, 1, 1, 2]
    assert work.pauses == [0.5] * 4


def test_looks_end_when_nobody_wants_to_wait_longer() -> None:
    work = Work(end=100)
    assert list(work.looks(timeout_s=1.0)) == [0, 0, 1]
    assert work.pauses == [0.5, 0.5]


def test_who_does_not_wait_looks_once() -> None:
    work = Work(end=100)
    assert list(work.looks(timeout_s=0.0)) == [0]
    assert work.pauses == []


def test_changes_leave_out_what_was_there_before() -> None:
    assert list(changes(Work(end=2).looks())) == [0, 1, 2]


def test_every_look_is_told_and_the_last_one_is_the_answer() -> None:
    told: list[int] = []
    assert last(Work(end=1).looks(), told.append) == 1
    assert told == [0, 0, 1]
