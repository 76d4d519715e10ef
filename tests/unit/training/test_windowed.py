"""The rows of a window, found again in rows that are there."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.training.window import Window
from opsloop.training.windowed import windowed

ROWS: list[dict[str, Any]] = [
    {"n": 1, "at": "2026-01-03"},
    {"n": 2, "at": "2026-01-01T10:00:00+02:00"},
    {"n": 3, "at": None},
    {"n": 4, "at": "2026-01-02"},
]


def numbers(window: Window) -> list[int]:
    return [row["n"] for row in windowed(ROWS, window)]


def test_the_rows_of_a_window_stay_in_their_order() -> None:
    assert numbers(Window()) == [1, 2, 3, 4]
    assert numbers(Window(rows=2)) == [3, 4]
    assert numbers(Window(rows=2, column="at")) == [1, 4]
    assert numbers(Window(since="2026-01-01T08:00:00+00:00", column="at")) == [1, 2, 4]
    assert numbers(Window(since="2026-01-01T08:00:01+00:00", column="at", rows=1)) == [1]
    assert numbers(Window(rows=1, column="n")) == [4]


@pytest.mark.parametrize("window", [Window(rows=1, column="when"), Window(since="2026-01-01", column="n")])
def test_a_column_that_cannot_order_rows_is_told(window: Window) -> None:
    with pytest.raises(InvalidInput, match=r"window\.column"):
        windowed(ROWS, window)
