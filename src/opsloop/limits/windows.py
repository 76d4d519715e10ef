"""When what a meter counts starts anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from opsloop.limits.models import Meter


def start_of(meter: Meter, now: datetime) -> int:
    """The start of the window that holds an instant, in seconds since 1970; 0 of what has no windows."""
    match meter:
        case Meter.CONCURRENT:
            return 0
        case Meter.DAY:
            return _seconds(now.replace(hour=0, minute=0, second=0, microsecond=0))
        case Meter.MONTH:
            return _seconds(now.replace(day=1, hour=0, minute=0, second=0, microsecond=0))
        case _:
            return _seconds(now.replace(second=0, microsecond=0))


def end_of(meter: Meter, starts: int) -> datetime | None:
    """When the window that starts then is over; None of what has no windows."""
    start = datetime.fromtimestamp(starts, UTC)
    match meter:
        case Meter.CONCURRENT:
            return None
        case Meter.DAY:
            return start + timedelta(days=1)
        case Meter.MONTH:
            return (start + timedelta(days=32)).replace(day=1)
        case _:
            return start + timedelta(minutes=1)


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
