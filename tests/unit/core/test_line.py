"""The line for SQLite's one writer: first come, first served, across threads."""

from __future__ import annotations

import threading
import time

import pytest

from opsloop.core.db.line import Line, TurnNotCome


def test_who_came_first_goes_first() -> None:
    line, served = Line(), []

    def write(number: int) -> None:
        with line.turn(10):
            served.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(20)]
    with line.turn(10):
        for waiting, thread in enumerate(threads, start=1):
            thread.start()
            while len(line._waiting) < waiting:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert served == list(range(20))


def test_a_turn_that_does_not_come_in_time_holds_up_nobody_behind() -> None:
    line = Line()
    first = line.turn(10)
    first.__enter__()
    with pytest.raises(TurnNotCome), line.turn(0.01):
        raise AssertionError
    first.__exit__(None, None, None)
    with line.turn(0):
        pass


def test_a_turn_may_end_in_another_thread() -> None:
    line = Line()
    turn = line.turn(10)
    turn.__enter__()
    thread = threading.Thread(target=turn.__exit__, args=(None, None, None))
    thread.start()
    thread.join()
    with line.turn(0):
        pass


def test_an_error_in_a_turn_passes_it_on() -> None:
    line = Line()
    with pytest.raises(ZeroDivisionError), line.turn(0):
        raise ZeroDivisionError
    with line.turn(0):
        pass
