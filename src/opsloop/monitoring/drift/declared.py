"""What a release's configuration says under `drift`: how to watch, whom to tell, which parts to show.

drift:
  false_alarms_every: 10000000       # and the other options of `DriftOptions`
  webhook: ${env:DRIFT_HOOK}
  performance: {margin: 0.02}        # or false: labels raise no alarm
  segments: {age: [18, 65], region: []}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from opsloop.core.errors import InvalidInput
from opsloop.datasets.expectations.options import is_number
from opsloop.monitoring.drift import hooks
from opsloop.monitoring.drift.hooks import Hook
from opsloop.monitoring.drift.options import DriftOptions

MARGIN = 0.02
LABELS_UNTIL_FALSE_ALARM = 100_000.0


@dataclass(frozen=True, slots=True)
class PerformanceOptions:
    """How labels are held against the figure of validation.

    Args:
        margin: how much worse does not matter: of accuracy a part, of a mean squared error a share of it.
        false_alarms_every: labels until a false alarm, at least, on average.
    """

    margin: float = MARGIN
    false_alarms_every: float = LABELS_UNTIL_FALSE_ALARM


@dataclass(frozen=True, slots=True)
class Watching:
    """Args: performance: None when labels raise no alarm. segments: by input, the ends of ranges; none: categories."""

    drift: DriftOptions = field(default_factory=DriftOptions)
    told_to: tuple[Hook, ...] = ()
    performance: PerformanceOptions | None = field(default_factory=PerformanceOptions)
    segments: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @classmethod
    def parse(cls, value: object, path: str = "drift") -> Watching:
        """Raises: InvalidInput naming the key, the value and the wanted form."""
        if isinstance(value, Watching):
            return value
        if isinstance(value, DriftOptions):
            return cls(value)
        if not isinstance(value, Mapping):
            return cls(DriftOptions.parse(value, path))
        rest = {key: each for key, each in value.items() if key not in ("webhook", "performance", "segments")}
        return cls(
            DriftOptions.parse(rest, path),
            hooks.parse(value.get("webhook"), f"{path}.webhook"),
            _performance(value.get("performance", True), f"{path}.performance"),
            _segments(value.get("segments"), f"{path}.segments"),
        )


def _performance(value: object, path: str) -> PerformanceOptions | None:
    if value is False or value is None:
        return None
    if value is True:
        return PerformanceOptions()
    known = {"margin": MARGIN, "false_alarms_every": LABELS_UNTIL_FALSE_ALARM}
    if not isinstance(value, Mapping) or not set(value) <= set(known):
        raise InvalidInput(field=path, value=value, wanted="false, or a mapping of margin and false_alarms_every")
    found = {**known, **value}
    if not is_number(found["margin"]) or not 0 <= found["margin"] < 1:
        raise InvalidInput(field=f"{path}.margin", value=found["margin"], wanted="a number from 0 to below 1")
    if not is_number(found["false_alarms_every"]) or found["false_alarms_every"] < 10:
        raise InvalidInput(
            field=f"{path}.false_alarms_every", value=found["false_alarms_every"], wanted="a number of at least 10"
        )
    return PerformanceOptions(float(found["margin"]), float(found["false_alarms_every"]))


def _segments(value: object, path: str) -> dict[str, tuple[float, ...]]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInput(
            field=path, value=value, wanted="a mapping of inputs to ends of ranges, such as {age: [18, 65]}"
        )
    for name, cuts in value.items():
        if not isinstance(cuts, list) or not all(map(is_number, cuts)):
            raise InvalidInput(field=f"{path}.{name}", value=cuts, wanted="a list of numbers; an empty one: categories")
    return {str(name): tuple(float(each) for each in cuts) for name, cuts in value.items()}
