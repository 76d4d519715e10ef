"""Figures as they stand on a page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from opsloop.console import words

NOW = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, words.NONE),
        (0.0, "0 %"),
        (0.00001, "<0.01 %"),
        (0.0741, "7.41 %"),
        (0.999999, ">99.99 %"),
        (1.0, "100 %"),
    ],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(share: float | None, text: str) -> None:
    assert words.percent(share) == text


@pytest.mark.parametrize(
    ("ms", "text"), [(None, words.NONE), (0.0, "0 ms"), (1.84, "1.8 ms"), (1234.6, "1,235 ms"), (61_000, "61 s")]
)
def test_durations_have_the_unit_that_fits(ms: float | None, text: str) -> None:
    assert words.milliseconds(ms) == text


@pytest.mark.parametrize(
    ("passed_s", "text"),
    [(0.4, "just now"), (59, "59 s ago"), (600, "10 min ago"), (10_000, "3 h ago"), (864_000, "10 days ago")],
)
def test_a_past_moment_is_told_by_its_distance(passed_s: float, text: str) -> None:
    assert words.ago(NOW - timedelta(seconds=passed_s), NOW) == text


def test_a_moment_to_come_is_told_as_itself() -> None:
    assert words.ago(NOW + timedelta(hours=1), NOW) == "2027-01-01 01:00:00"


def test_a_fall_has_a_minus_sign() -> None:
    assert words.points(-0.021) == f"{words.MINUS}2.1 points"


def test_a_name_is_one_segment_of_a_path() -> None:
    assert words.segment("a/b?c#d ü") == "a%2Fb%3Fc%23d%20%C3%BC"
