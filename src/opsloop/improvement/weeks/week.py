"""Weeks as ISO 8601 has them: `2026-W47` begins on Monday, 16 November 2026, at 00:00 UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from opsloop.core.errors import InvalidInput

_FORM = re.compile(r"([0-9]{4})-W([0-9]{2})")


@dataclass(frozen=True, slots=True, order=True)
class Week:
    since: datetime

    @property
    def until(self) -> datetime:
        return self.since + timedelta(days=7)

    @property
    def before(self) -> Week:
        return Week(self.since - timedelta(days=7))

    @property
    def after(self) -> Week:
        return Week(self.until)

    def __str__(self) -> str:
        year, number, _ = self.since.isocalendar()
        return f"{year}-W{number:02d}"


def parse(text: str) -> Week:
    """Raises: InvalidInput."""
    found = _FORM.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        since = datetime.fromisocalendar(int(found[1]), int(found[2]), 1).replace(tzinfo=UTC)
        if not 1990 <= since.year <= 2200:
            raise ValueError
    except ValueError:
        raise InvalidInput(field="week", value=text, wanted="a week such as 2026-W47") from None
    return Week(since)


def of(moment: datetime) -> Week:
    """The week that a moment is in."""
    year, number, _ = moment.astimezone(UTC).isocalendar()
    return Week(datetime.fromisocalendar(year, number, 1).replace(tzinfo=UTC))
