from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from opsloop.cli import text


def test_a_table_is_aligned_and_numbers_stand_right() -> None:
    found = text.table(("name", "rows"), [("golden", 5), ("a", 1200), ("世界", None)])

    assert found == "NAME    ROWS\ngolden     5\na       1200\n世界       -"


def test_an_empty_table_is_nothing() -> None:
    assert text.table(("a",), []) == ""


def test_moments_are_shown_in_utc() -> None:
    at = datetime(2026, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))

    assert text.cell(at) == text.moment(datetime(2025, 12, 31, 23, 30, tzinfo=UTC)) == "2025-12-31 23:30:00Z"


def test_fields_are_aligned() -> None:
    assert text.fields([("a", True), ("long", ["x", "y"])]) == "a     yes\nlong  x, y"


@given(st.text())
def test_a_cell_is_one_line_that_cannot_steer_the_terminal(value: str) -> None:
    shown = text.cell(value)

    assert shown.isprintable()
    assert shown


@given(st.text())
def test_plain_text_keeps_its_lines_and_cannot_steer_the_terminal(value: str) -> None:
    shown = text.plain(value)

    assert shown.replace("\n", "").replace("\t", "").isprintable() or not shown.strip("\n\t")
    assert shown.count("\n") == value.count("\n")


def test_shares_are_percentages() -> None:
    assert [text.percent(each) for each in (0.1, 1.0, 0.1234, None)] == ["10 %", "100 %", "12.3 %", "-"]
