"""Which rows of a dataset version a run learns from: the newest so many, or those from a date on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from opsloop.core.errors import InvalidInput

MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Window:
    """`rows` are the last ones as they were registered, or by `column` where one is named.

    `days` is counted back from when the run starts, and `since` is an instant, both in `column`.
    """

    rows: int | None = None
    column: str | None = None
    days: int | None = None
    since: str | None = None

    @property
    def is_all(self) -> bool:
        return self == Window()

    def pinned(self, now: datetime) -> Window:
        """The same rows whenever they are looked for: days become the instant they begin with."""
        if self.days is None:
            return self
        return Window(rows=self.rows, column=self.column, since=(now - timedelta(days=self.days)).isoformat())

    def values(self) -> dict[str, Any]:
        """As it is declared."""
        found = {"rows": self.rows, "column": self.column, "days": self.days, "since": self.since}
        return {name: value for name, value in found.items() if value is not None}

    def __str__(self) -> str:
        said = [f"rows with {self.column} from {self.since} on"] if self.since is not None else []
        said += [f"rows with {self.column} in the last {self.days} days"] if self.days is not None else []
        by = f" by {self.column}" if self.column is not None and not said else ""
        said += [f"the newest {self.rows:,} rows{by}"] if self.rows is not None else []
        return " and of these ".join(said) or "all rows"


def parse(value: Any, at: str = "window") -> Window:
    """Raises: InvalidInput naming the field."""
    if value is None or value == {}:
        return Window()
    if not isinstance(value, dict) or not value.keys() <= {"rows", "column", "days", "since"}:
        raise InvalidInput(field=at, value=value, wanted="a mapping with rows, days, since and column")
    column = value.get("column")
    if column is not None and (not isinstance(column, str) or not column):
        raise InvalidInput(field=f"{at}.column", value=column, wanted="the name of a column")
    found = Window(
        rows=_count(f"{at}.rows", value.get("rows"), 1_000_000_000),
        column=column,
        days=_count(f"{at}.days", value.get("days"), MOST_DAYS),
        since=_since(f"{at}.since", value.get("since")),
    )
    if found.days is not None and found.since is not None:
        raise InvalidInput(field=f"{at}.days", value=found.days, wanted="no days beside since")
    if column is None and (found.days is not None or found.since is not None):
        raise InvalidInput(f"{at}.column: is missing; wanted the column with the date", field=f"{at}.column")
    if column is not None and found.values().keys() == {"column"}:
        raise InvalidInput(field=at, value=value, wanted="rows, days or since beside column")
    return found


def instant(value: Any) -> datetime | None:
    """A date or an instant as it stands in a column, in UTC; None for what is none."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _count(at: str, value: Any, most: int) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value <= most):
        return value
    raise InvalidInput(field=at, value=value, wanted=f"a whole number from 1 to {most:,}")


def _since(at: str, value: Any) -> str | None:
    if value is None:
        return None
    text = value.isoformat() if isinstance(value, date) else value
    found = instant(text)
    if found is None:
        raise InvalidInput(field=at, value=value, wanted="a date or an instant such as 2026-11-01")
    return found.isoformat()
