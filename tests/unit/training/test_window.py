"""Windows: which rows of a dataset a run learns from."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from opsloop.core.errors import InvalidInput
from opsloop.training import window
from opsloop.training.window import Window

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        (None, "all rows"),
        ({"rows": 5_000}, "the newest 5,000 rows"),
        ({"rows": 10, "column": "at"}, "the newest 10 rows by at"),
        ({"days": 90, "column": "at"}, "rows with at in the last 90 days"),
        ({"since": "2026-01-01", "column": "at"}, "rows with at from 2026-01-01T00:00:00+00:00 on"),
        ({"since": date(2026, 1, 1), "column": "at"}, "rows with at from 2026-01-01T00:00:00+00:00 on"),
        (
            {"days": 7, "column": "at", "rows": 3},
            "rows with at in the last 7 days and of these the newest 3 rows",
        ),
    ],
)
def test_a_window_says_which_rows_it_is(declared: Any, says: str) -> None:
    assert str(window.parse(declared)) == says


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ([], "window: is []; wanted a mapping"),
        ({"last": 3}, "window: is {'last': 3}; wanted a mapping with rows, days, since and column"),
        ({"rows": 0}, "window.rows: is 0; wanted a whole number from 1"),
        ({"rows": True}, "window.rows: is True; wanted a whole number"),
        ({"days": 3}, "window.column: is missing; wanted the column with the date"),
        ({"days": 3, "since": "2026-01-01", "column": "at"}, "window.days: is 3; wanted no days beside since"),
        ({"since": "yesterday", "column": "at"}, "window.since: is 'yesterday'; wanted a date or an instant"),
        ({"column": "at"}, "window: is {'column': 'at'}; wanted rows, days or since beside column"),
    ],
)
def test_what_is_no_window_is_told_with_its_field(declared: Any, sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        window.parse(declared)
    assert caught.value.sentence.startswith(sentence)


def test_days_are_counted_back_once_so_that_a_run_that_begins_again_has_the_same_rows() -> None:
    pinned = Window(days=2, column="at", rows=5).pinned(NOW)
    assert pinned == Window(since="2026-11-24T03:00:00+00:00", column="at", rows=5)
    assert pinned.pinned(NOW.replace(year=2027)) == pinned
    assert window.parse(pinned.values()) == pinned
