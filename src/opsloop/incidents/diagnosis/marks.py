"""What a telling line looks like, and how much it tells."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """A form of line that a tool prints when it fails.

    Args:
        pattern: searched in the cleaned line.
        weight: 10 names the failing thing itself, 7 says why, 4 may be the cause, 1 only that something failed.
        last: whether a later line of this form tells more than an earlier one.
    """

    pattern: re.Pattern[str]
    weight: float
    last: bool = False


def mark(pattern: str, weight: float, *, last: bool = False, ignore_case: bool = False) -> Mark:
    return Mark(re.compile(pattern, re.IGNORECASE if ignore_case else 0), weight, last)
