"""Windows on the wall clock of a place, through both changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from opsloop.releases.windows import Window, are_open, next_opening

OFFICE = Window("Europe/Berlin", (0, 1, 2, 3, 4), 9 * 60, 17 * 60)
NIGHT = Window("Europe/Berlin", (4,), 22 * 60, 4 * 60)


def berlin(text: str, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"), fold=fold)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2027-01-04T08:59", False),
        ("2027-01-04T09:00", True),
        ("2027-01-04T16:59", True),
        ("2027-01-04T17:00", False),
        ("2027-01-09T12:00", False),  # a Saturday
    ],
)
def test_hours_of_some_days(at: str, is_open: bool) -> None:
    assert OFFICE.is_open(berlin(at).astimezone(UTC)) is is_open


def test_hours_follow_the_wall_clock_when_the_clocks_change() -> None:
    winter, summer = datetime(2027, 3, 26, 8, 30, tzinfo=UTC), datetime(2027, 3, 29, 7, 30, tzinfo=UTC)
    assert OFFICE.is_open(winter)
    assert OFFICE.is_open(summer)
    assert not OFFICE.is_open(winter - timedelta(hours=1))


@pytest.mark.parametrize(
    ("at", "is_open"), [("2027-01-08T21:59", False), ("2027-01-08T22:00", True), ("2027-01-09T03:59", True),
                        ("2027-01-09T04:00", False), ("2027-01-09T23:00", False), ("2027-01-08T03:00", False)]
)  # fmt: skip
def test_hours_over_midnight_belong_to_the_day_on_which_they_begin(at: str, is_open: bool) -> None:
    assert NIGHT.is_open(berlin(at)) is is_open


def test_the_hour_that_is_skipped_is_never_open_and_the_one_that_comes_twice_is_open_twice() -> None:
    half_past_two = Window("Europe/Berlin", start=2 * 60, end=3 * 60)
    skipping, doubling = datetime(2027, 3, 27, 23, tzinfo=UTC), datetime(2027, 10, 30, 22, tzinfo=UTC)
    minutes = [timedelta(minutes=each) for each in range(6 * 60)]
    assert not any(half_past_two.is_open(skipping + each) for each in minutes)
    assert sum(half_past_two.is_open(doubling + each) for each in minutes) == 120


def test_a_cron_expression_names_the_minutes_that_are_open() -> None:
    cron = Window("America/New_York", cron="* 9-16 * * 1-5")
    assert cron.is_open(datetime(2027, 1, 4, 14, 0, tzinfo=UTC))
    assert cron.is_open(datetime(2027, 1, 4, 21, 59, 30, tzinfo=UTC))
    assert not cron.is_open(datetime(2027, 1, 4, 22, 0, tzinfo=UTC))


def test_the_next_opening_is_a_minute_that_is_open() -> None:
    friday = berlin("2027-03-26T18:00:30")
    opening = next_opening((OFFICE,), friday)
    assert opening == berlin("2027-03-29T09:00").astimezone(UTC)  # after the clocks went forward
    assert next_opening((OFFICE,), berlin("2027-03-26T12:00:30")) == berlin("2027-03-26T12:00").astimezone(UTC)


def test_the_next_opening_of_a_cron_expression_is_on_the_wall_clock_too() -> None:
    after = datetime(2027, 3, 27, 12, tzinfo=UTC)
    in_the_gap = Window("Europe/Berlin", cron="30 2 * * *")
    assert next_opening((in_the_gap,), after) == datetime(2027, 3, 29, 0, 30, tzinfo=UTC)  # the 28th has no 02:30
    assert next_opening((Window(cron="0 0 1 1 *"),), after) is None
    assert next_opening((Window(cron="0 0 1 1 *"), OFFICE), after) == datetime(2027, 3, 29, 7, tzinfo=UTC)


def test_without_windows_it_is_always_open() -> None:
    assert are_open((), datetime(2027, 1, 1, tzinfo=UTC))
