from datetime import UTC, datetime

import pytest

from opsloop.llm.retrying import Patience, retry_after_s

NOW = datetime(2027, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Fri, 01 Jan 2027 12:00:30 GMT", 30.0),
        ("Fri, 01 Jan 2027 11:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, NOW) == seconds


def test_waits_double_up_to_the_longest() -> None:
    patience = Patience(attempts=6, first_wait_s=1.0, longest_wait_s=5.0, draw=lambda low, high: high)
    assert [patience.wait_s(attempt, None) for attempt in range(6)] == [1.0, 2.0, 4.0, 5.0, 5.0, None]


def test_the_server_decides_how_long_unless_it_asks_too_much() -> None:
    patience = Patience(longest_wait_s=5.0)
    assert patience.wait_s(0, 3.0) == 3.0
    assert patience.wait_s(0, 600.0) is None
