"""A limit as requests and `opsloop.yaml` write it, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.limits.models import Limit, Scope

FIELDS = ("requests_per_minute", "tokens_per_minute", "concurrent", "usd_per_day", "usd_per_month")
MOST = 1_000_000_000
MAX_NAME = 200


def limit_of(values: Any, at: str = "limit") -> Limit:
    """A limit as `opsloop.yaml` and requests write it. Raises: InvalidInput naming the field."""
    if not isinstance(values, Mapping):
        raise InvalidInput(field=at, value=values, wanted="a mapping of limits")
    for key in values:
        if key not in FIELDS:
            raise InvalidInput(field=f"{at}.{key}", value=values[key], wanted=f"one of {', '.join(FIELDS)}")
    found = Limit(**values)
    check(None, "x", found, at)
    return found


def check(scope: Scope | None, name: str, limit: Limit, at: str = "") -> None:
    """Raises: InvalidInput naming the field below `at`."""
    if scope is Scope.DEFAULT and name:
        raise InvalidInput(field="name", value=name, wanted="no name: the default is of all keys")
    if scope is not Scope.DEFAULT and not (0 < len(name) <= MAX_NAME and name.isprintable()):
        raise InvalidInput(field="name", value=name, wanted=f"1 to {MAX_NAME} printable characters")
    prefix = f"{at}." if at else ""
    for field in FIELDS:
        value = getattr(limit, field)
        if value is None:
            continue
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if field.startswith("usd"):
            if not is_number or not 0 <= value <= MOST:
                raise InvalidInput(field=prefix + field, value=value, wanted="US dollars, 0 or more")
        elif not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST:
            raise InvalidInput(field=prefix + field, value=value, wanted=f"a whole number from 0 to {MOST:,}")
    if limit.is_empty:
        raise InvalidInput(field=at or "limit", value={}, wanted=f"at least one of {', '.join(FIELDS)}")


def in_words(limit: Limit) -> str:
    """What somebody may use: `60 requests a minute, $5.00 a day`."""
    found = {
        "{} requests a minute": limit.requests_per_minute,
        "{} tokens a minute": limit.tokens_per_minute,
        "{} requests at a time": limit.concurrent,
        "${:.2f} a day": limit.usd_per_day,
        "${:.2f} a month": limit.usd_per_month,
    }
    return ", ".join(form.format(value) for form, value in found.items() if value is not None)
