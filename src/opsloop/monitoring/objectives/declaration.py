"""Objectives as they are declared: under `objectives:` of an endpoint in `opsloop.yaml`, and over HTTP.

    objectives:
      availability: 0.999                       # or {target: 0.999, window_days: 28}
      latency: {within_ms: 500, target: 0.99}   # or a list of these
      satisfaction: false                       # not this one

What is not named keeps its default: the promises that a new endpoint starts with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from opsloop.core.errors import InvalidInput
from opsloop.monitoring.objectives.models import Measure, Objective

LIMITS_MS = (50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000)
"""Times that answers are counted by: edges of the latency histogram too, so that Prometheus counts the same."""
DEFAULTS = (
    Objective(Measure.AVAILABILITY, 0.999, is_default=True),
    Objective(Measure.LATENCY, 0.95, within_ms=2_000, is_default=True),
    Objective(Measure.MEAN_LATENCY, 1.0, within_ms=2_000, is_default=True),
    Objective(Measure.SATISFACTION, 0.9, is_default=True),
    Objective(Measure.PRIVACY, 1.0, is_default=True),
)
"""99.9 % availability, under 2 s on average and for 95 of 100, over 90 % satisfaction, no leak of personal data."""
MAX_OBJECTIVES = 20
MIN_DAYS, MAX_DAYS = 1.0, 90.0
_KEYS = ("target", "window_days", "within_ms")


def parse(declared: object, path: str = "objectives") -> tuple[Objective, ...]:
    """All objectives of an endpoint: those declared, then the defaults of measures that are not named.

    Raises: InvalidInput naming the key.
    """
    if declared is None:
        return DEFAULTS
    if not isinstance(declared, Mapping):
        raise InvalidInput(field=path, value=declared, wanted="a mapping of measures, such as {availability: 0.999}")
    found: list[Objective] = []
    for key, value in declared.items():
        at = f"{path}.{key}"
        measure = _measure(at, key)
        if value is False:
            continue
        each = value if isinstance(value, list) else [value]
        found += [_objective(at, measure, one) for one in each]
    named = {str(key) for key in declared}
    found += [each for each in DEFAULTS if each.measure not in named]
    if len(found) > MAX_OBJECTIVES:
        raise InvalidInput(f"{path}: {len(found)} objectives; wanted at most {MAX_OBJECTIVES}", field=path)
    if len({each.name for each in found}) < len(found):
        raise InvalidInput(f"{path}: two objectives of one measure have the same within_ms", field=path)
    return tuple(found)


def _measure(at: str, key: object) -> Measure:
    try:
        return Measure(str(key))
    except ValueError:
        raise InvalidInput(f"{at} is not known; wanted one of {', '.join(Measure)}", field=at) from None


def _objective(at: str, measure: Measure, value: object) -> Objective:
    default = next((each for each in DEFAULTS if each.measure is measure), None)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = {"target": value}
    if value is True and default is not None:
        value = {}
    if not isinstance(value, Mapping) or not set(value) <= set(_KEYS):
        wanted = f"a share such as 0.999, a mapping of {', '.join(_KEYS)}, or false for none"
        raise InvalidInput(field=at, value=value, wanted=wanted)
    return Objective(
        measure,
        target=_target(at, measure, value.get("target", default.target if default else None)),
        window_days=_number(f"{at}.window_days", value.get("window_days", 30), MIN_DAYS, MAX_DAYS, "days"),
        within_ms=_limit(at, measure, value.get("within_ms", default.within_ms if default else None)),
    )


def _target(at: str, measure: Measure, value: Any) -> float:
    if measure is Measure.MEAN_LATENCY:
        return 1.0
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not 0 < value <= 1:
        raise InvalidInput(field=f"{at}.target", value=value, wanted="a share above 0 and at most 1, such as 0.999")
    return float(value)


def _limit(at: str, measure: Measure, value: Any) -> int | None:
    if not measure.has_limit:
        if value is not None:
            raise InvalidInput(f"{at}.within_ms: {measure} has no such limit", field=f"{at}.within_ms")
        return None
    if measure is Measure.MEAN_LATENCY:
        return int(_number(f"{at}.within_ms", value, 1, 600_000, "milliseconds"))
    if isinstance(value, bool) or value not in LIMITS_MS:
        wanted = f"one of {', '.join(map(str, LIMITS_MS))} milliseconds"
        raise InvalidInput(field=f"{at}.within_ms", value=value, wanted=wanted)
    return int(value)


def _number(at: str, value: Any, low: float, high: float, unit: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not low <= value <= high:
        raise InvalidInput(field=at, value=value, wanted=f"{unit} from {low:g} to {high:g}")
    return float(value)
