"""A service that is asked as ever and asks what it calls less: it fails, or answers, before it gets there.

Where an error or an early answer leaves latency and resources as they are, this is what metrics show of it. It says
nothing where something that the service calls is ill: that is why it gets no further.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from opsloop.incidents.causes.callers import Calls
from opsloop.incidents.causes.models import MetricSeries, SeriesKind
from opsloop.incidents.causes.scores import JUST_BEFORE, LEAST_REFERENCE, spread

LEAST_FALL = math.log(1.5)
"""How much less a callee is asked than its callers, at least: by a third."""
LEAST_Z, LEAST_Z_TOGETHER = 2.0, 4.0
"""Standard errors of the fall of one callee, and of those of a caller together."""
WAS_OFF = 3.0
"""Standard errors by which the last points before the start differ from what is usual, when they count as off."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How often a service is asked. Args: change: logarithm of now over usual; error: its standard error."""

    change: float
    error: float


@dataclass(frozen=True, slots=True)
class Starving:
    """Callees that a caller asks less. Args: score: standard errors; change: of the callee that fell most."""

    caller: str
    callees: tuple[str, ...]
    score: float
    change: float

    @property
    def sentence(self) -> str:
        named = ", ".join(self.callees)
        return (
            f"for each time that it is asked, {self.caller} asks {named} {math.exp(self.change):.2g} times as often as "
            f"before, {self.score:.1f} standard errors less"
        )


def starving(series: Iterable[MetricSeries], calls: Calls, *, started_s: float, until_s: float) -> dict[str, Starving]:
    """Callers that ask some of what they call less than they are asked themselves, by name.

    A callee with several callers is blamed on the one of them that starves most of its callees. Where the traffic of
    one of its callers is not known, nothing is said of a callee.
    """
    asked = _asked(series, started_s, until_s)
    callers: dict[str, set[str]] = {}
    for caller, called in calls.items():
        for each in called:
            callers.setdefault(each, set()).add(caller)
    falls: dict[str, tuple[float, float]] = {}
    for callee, its in callers.items():
        if callee in asked and its <= asked.keys():
            fall = _fall(asked[callee], [asked[each] for each in sorted(its)])
            if fall is not None:
                falls[callee] = fall
    return _blamed(falls, callers)


def _fall(callee: Asked, callers: Sequence[Asked]) -> tuple[float, float] | None:
    """How much less a callee is asked than the least asked of its callers, and in standard errors."""
    least = min(callers, key=lambda each: each.change)
    fall = least.change - callee.change
    z = fall / math.hypot(least.error, callee.error)
    return (fall, z) if fall >= LEAST_FALL and z >= LEAST_Z else None


def _blamed(falls: Mapping[str, tuple[float, float]], callers: Mapping[str, set[str]]) -> dict[str, Starving]:
    count = {caller: sum(caller in callers[callee] for callee in falls) for its in callers.values() for caller in its}
    by_caller: dict[str, list[str]] = {}
    for callee in sorted(falls):
        by_caller.setdefault(max(callers[callee], key=lambda each: (count[each], each)), []).append(callee)
    found = {}
    for caller, starved in by_caller.items():
        score = math.hypot(*(falls[each][1] for each in starved))
        if score >= LEAST_Z_TOGETHER:
            found[caller] = Starving(caller, tuple(starved), score, -max(falls[each][0] for each in starved))
    return found


def _asked(series: Iterable[MetricSeries], started_s: float, until_s: float) -> dict[str, Asked]:
    found: dict[str, list[Asked]] = {}
    for each in series:
        change = _change(each, started_s, until_s) if each.kind is SeriesKind.TRAFFIC else None
        if change is not None:
            found.setdefault(each.service, []).append(change)
    # A service may have several such figures, in units of their own: their changes are comparable, they are not.
    return {service: sorted(of, key=lambda each: each.change)[len(of) // 2] for service, of in found.items()}


def _change(series: MetricSeries, started_s: float, until_s: float) -> Asked | None:
    split, end = bisect_left(series.times_s, started_s), bisect_left(series.times_s, until_s)
    before, after = series.values[:split], series.values[split:end]
    usual = median(before) if len(before) >= LEAST_REFERENCE else 0.0
    if usual <= 0 or not after:
        return None
    unit = spread(before, usual) / usual
    recent, error = fmean(before[-JUST_BEFORE:]), unit / math.sqrt(len(after))
    # What had changed before the start already is no news: then what was just before is compared with.
    was_off = abs(recent / usual - 1) > WAS_OFF * unit / math.sqrt(JUST_BEFORE)
    compared = recent if was_off and recent > 0 else usual
    now = max(fmean(after), error * usual)
    return Asked(math.log(now / compared), error)
