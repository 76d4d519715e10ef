"""When a budget burns so fast that somebody must know: several windows, several rates.

An alert needs two windows: the long one shows that it matters, the short one (a twelfth) that it still goes on, so the
alert ends soon after the trouble. The pairs are those of the SRE Workbook; each is the share of the budget of 30 days
that the long window would use up: 2 % in an hour (14.4 times as fast as allowed), 5 % in six hours (6 times), 10 % in a
day (3 times) and 10 % in three days (once).
Source: B. Beyer and others (eds.), The Site Reliability Workbook, O'Reilly 2018, chapter 5, "Alerting on SLOs",
table 5-8 and the section on multiwindow, multi-burn-rate alerts.

Few events: a burn rate of 500 from 1 bad of 2 says nothing. The same chapter ("Low-Traffic Services and Error
Budget Alerting") names the trouble; what is done here is an exact test. An alert also needs at least `LEAST_BAD` bad
events, and a chance of at most `CHANCE` of so many under the share that the objective allows (one-sided binomial test,
C. J. Clopper and E. S. Pearson, Biometrika 26 (1934), 404-413). Until then the standing says: not enough traffic.
An objective that allows none (a target of 1) needs no test: one bad event is one too many.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from opsloop.monitoring.objectives.models import Burn, Measure, Objective, Tally

HOUR_S, DAY_S = 3_600, 86_400
LEAST_BAD = 3
CHANCE = 0.001
_ROUNDING = 1 - 1e-9
REACHABLE = 0.5
"""A pair whose rate would need a larger share of bad events than this (targets below 96.5 %) asks for this share."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A long and a short window; `share` of 30 days' budget used up in the long one is the threshold."""

    severity: str
    long_s: int
    short_s: int
    share: float

    @property
    def rate(self) -> float:
        return self.share * 30 * DAY_S / self.long_s


PAIRS = (
    Pair("page", HOUR_S, 300, 0.02),
    Pair("page", 6 * HOUR_S, 1_800, 0.05),
    Pair("ticket", DAY_S, 2 * HOUR_S, 0.10),
    Pair("ticket", 3 * DAY_S, 6 * HOUR_S, 0.10),
)
WINDOWS_S = tuple(sorted({span for pair in PAIRS for span in (pair.long_s, pair.short_s)}))


def threshold(objective: Objective, pair: Pair) -> float:
    """The burn rate at which a pair fires."""
    if objective.budget <= 0 or objective.measure is Measure.MEAN_LATENCY:
        return 1.0
    return min(pair.rate, max(1.0, REACHABLE / objective.budget))


def rate(objective: Objective, tally: Tally) -> float | None:
    """Bad events over what the budget allows; of a mean, the mean over its limit. None without events."""
    if tally.total == 0:
        return None
    if objective.measure is Measure.MEAN_LATENCY:
        return tally.amount / tally.total / (objective.within_ms or 1)
    if objective.budget <= 0:
        return math.inf if tally.bad else 0.0
    return tally.bad / tally.total / objective.budget


def is_sure(objective: Objective, tally: Tally) -> bool:
    """Whether so many bad events can hardly be chance."""
    if objective.measure is Measure.MEAN_LATENCY:
        return tally.total >= LEAST_BAD
    if objective.budget <= 0:
        return tally.bad > 0
    return tally.bad >= LEAST_BAD and tail(tally.total, tally.bad, objective.budget) <= CHANCE


def burn(objective: Objective, pair: Pair, tallies: Mapping[int, Tally]) -> Burn:
    """One pair of windows, from the tallies of both."""
    long, short = tallies[pair.long_s], tallies[pair.short_s]
    long_rate, short_rate, needed = rate(objective, long), rate(objective, short), threshold(objective, pair)
    is_fast = all(each is not None and each >= needed * _ROUNDING for each in (long_rate, short_rate))
    if objective.measure is Measure.MEAN_LATENCY or objective.budget <= 0:
        is_fast = is_fast and long_rate is not None and long_rate > (1.0 if objective.within_ms else 0.0)
    sure = is_fast and is_sure(objective, long)
    return Burn(
        severity=pair.severity,
        long_s=pair.long_s,
        short_s=pair.short_s,
        threshold=needed,
        long_rate=_finite(long_rate),
        short_rate=_finite(short_rate),
        is_firing=sure,
        is_thin=is_fast and not sure,
    )


def pairs_of(objective: Objective) -> tuple[Pair, ...]:
    """Pairs that fit into an objective's window. No budget, or a mean: only the fastest, for each bad one counts."""
    if objective.budget <= 0 or objective.measure is Measure.MEAN_LATENCY:
        return PAIRS[:1]
    return tuple(pair for pair in PAIRS if pair.long_s <= objective.window_s)


def tail(trials: int, at_least: int, chance: float) -> float:
    """Probability of `at_least` or more of `trials`, each with `chance`: the upper tail of a binomial distribution.

    Terms are added from the first on until they no longer matter; below the mean the answer is cut to 1.
    """
    if at_least <= 0 or at_least <= trials * chance:
        return 1.0
    if chance <= 0:
        return 0.0
    odds = math.log(chance) - math.log1p(-chance)
    term = (
        math.lgamma(trials + 1)
        - math.lgamma(at_least + 1)
        - math.lgamma(trials - at_least + 1)
        + at_least * math.log(chance)
        + (trials - at_least) * math.log1p(-chance)
    )
    total = 0.0
    for count in range(at_least, trials + 1):
        value = math.exp(term)
        total += value
        if value < total * 1e-12:
            break
        term += math.log(trials - count) - math.log(count + 1) + odds if count < trials else 0.0
    return min(1.0, total)


def _finite(value: float | None) -> float | None:
    """JSON has no infinity: a rate without a budget is left out."""
    return value if value is not None and math.isfinite(value) else None
