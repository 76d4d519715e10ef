"""When a rollout may start and step: windows on the wall clock of a place.

A window is asked about an instant, which is turned into the place's wall time: what daylight saving skips is never
open, and an hour that comes twice is open twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 1_440
LOOKS_AHEAD = timedelta(days=8)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of some days, or the minutes that a cron expression names, in a time zone.

    Args:
        timezone: a name of the IANA database, such as `Europe/Berlin`.
        days: 0 is Monday; of hours over midnight, the days on which they begin.
        start, end: minutes of the day, 0 to 1440; `end` is not in it, and may come before `start`.
        cron: five fields; each minute it names is open. Days and hours are not looked at then.
    """

    timezone: str = "UTC"
    days: tuple[int, ...] = tuple(range(7))
    start: int = 0
    end: int = DAY_MINUTES
    cron: str | None = None

    def is_open(self, at: datetime) -> bool:
        wall = at.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None, second=0, microsecond=0)
        if self.cron is not None:
            return next(CronSim(self.cron, wall - _MINUTE)) == wall
        minute, day = 60 * wall.hour + wall.minute, wall.weekday()
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        if minute >= self.start:
            return day in self.days
        return minute < self.end and (day - 1) % 7 in self.days

    def __str__(self) -> str:
        if self.cron is not None:
            return f"{self.cron} ({self.timezone})"
        days = "every day" if len(self.days) == 7 else ", ".join(DAYS[day] for day in self.days)
        return f"{days} {_clock(self.start)} to {_clock(self.end)} ({self.timezone})"


def are_open(windows: Sequence[Window], at: datetime) -> bool:
    """Whether one of them is; without any it is always."""
    return not windows or any(window.is_open(at) for window in windows)


def next_opening(windows: Sequence[Window], after: datetime) -> datetime | None:
    """The first minute from `after` on in which one is open; None when that is over a week away."""
    return _next_opening(tuple(windows), after.astimezone(UTC).replace(second=0, microsecond=0))


@lru_cache(maxsize=64)
def _next_opening(windows: tuple[Window, ...], minute: datetime) -> datetime | None:
    end = minute + LOOKS_AHEAD
    found = [
        _next_of_cron(each, each.cron, minute, end) if each.cron else _next_of_hours(each, minute, end)
        for each in windows
    ]
    return min((each for each in found if each is not None), default=None)


def _next_of_hours(window: Window, minute: datetime, end: datetime) -> datetime | None:
    while minute < end:
        if window.is_open(minute):
            return minute
        minute += _MINUTE
    return None


def _next_of_cron(window: Window, cron: str, minute: datetime, end: datetime) -> datetime | None:
    """By the expression's own arithmetic: most name few minutes, and looking at each would take long."""
    zone = ZoneInfo(window.timezone)
    for wall in CronSim(cron, minute.astimezone(zone).replace(tzinfo=None) - _MINUTE):
        at = wall.replace(tzinfo=zone).astimezone(UTC)
        if at >= end:
            return None
        if at >= minute and window.is_open(at):  # what daylight saving skips is not
            return at
    return None


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
