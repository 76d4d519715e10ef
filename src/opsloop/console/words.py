"""How figures and moments stand on a page: short, with their unit, the same everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

NONE = "\N{EN DASH}"
LINE_CHARS = 60
MINUS = "\N{MINUS SIGN}"
Form = Callable[[float | None], str]
"""How a figure that may be missing is written."""


def count(number: int | None) -> str:
    return NONE if number is None else f"{number:,}"


def plain(number: float) -> str:
    """A number of the user's own: six figures at most, thousands apart."""
    return f"{float(f'{number:.6g}'):,.10g}".replace("-", MINUS)


def rate(per_s: float | None) -> str:
    """Requests per second, two figures below 10."""
    if per_s is None:
        return NONE
    return "0/s" if per_s == 0 else f"{per_s:,.0f}/s" if per_s >= 10 else f"{per_s:.2g}/s"


def percent(share: float | None) -> str:
    """A share from 0 to 1 as a percentage; what is not quite 0 or 100 is not rounded to it."""
    if share is None:
        return NONE
    if 0 < share < 0.0001:
        return "<0.01 %"
    if 0.9999 < share < 1:
        return ">99.99 %"
    return f"{float(f'{100 * share:.3g}'):g} %"


def exact(share: float | None) -> str:
    """The same to five figures, for shares that are held against a target close to 1."""
    return NONE if share is None else f"{100 * share:.5g} %".replace("-", MINUS)


def points(difference: float | None) -> str:
    """A difference of two shares, in percentage points with its sign."""
    return NONE if difference is None else f"{100 * difference:+.2g} points".replace("-", MINUS)


def milliseconds(ms: float | None) -> str:
    if ms is None:
        return NONE
    if ms >= 10_000:
        return f"{ms / 1000:,.0f} s"
    return f"{ms:,.0f} ms" if ms >= 10 else f"{ms:.2g} ms"


def seconds(s: float | None) -> str:
    """A duration in the unit that fits it."""
    if s is None:
        return NONE
    for limit, unit, size in ((1, "s", 1), (120, "s", 1), (7_200, "min", 60), (172_800, "h", 3_600)):
        if s < limit:
            return f"{s:.2g} {unit}" if limit == 1 else f"{s / size:,.0f} {unit}"
    return f"{s / 86_400:,.0f} days"


def ago(at: datetime | None, now: datetime) -> str:
    """How long a moment is past; of one to come, the moment itself."""
    if at is None:
        return "never"
    passed_s = (now - at).total_seconds()
    if passed_s < -5:
        return moment(at)
    return "just now" if passed_s < 1 else f"{seconds(passed_s)} ago"


def moment(at: datetime | None) -> str:
    return NONE if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def clock(at: datetime | None) -> str:
    """The time of day, in UTC."""
    return NONE if at is None else at.astimezone(UTC).strftime("%H:%M:%S")


def size(size_bytes: int) -> str:
    """Bytes in decimal units (IEC 80000-13)."""
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} TB"


def several(number: int, noun: str) -> str:
    """`1 row`, `1,200 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def segment(text: object) -> str:
    """A name as one segment of a path."""
    return quote(str(text), safe="")


def pretty(value: object) -> str:
    """A JSON value, over several lines unless it is short; what is beyond JSON as its text."""
    line = json.dumps(value, ensure_ascii=False, default=str)
    return line if len(line) <= LINE_CHARS else json.dumps(value, indent=2, ensure_ascii=False, default=str)


FILTERS = {
    each.__name__: each
    for each in (
        count,
        plain,
        rate,
        percent,
        exact,
        points,
        milliseconds,
        seconds,
        moment,
        clock,
        size,
        several,
        segment,
        pretty,
    )
}
