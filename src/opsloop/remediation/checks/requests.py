"""Whether requests of the endpoint fail, run into guardrails or are slow more or less often than before the repair.

Each share has a confidence sequence before and one after; only when the two do not meet is it better or worse. With
alpha shared among the sequences, the chance that a repair which changes nothing is ever called worse is at most alpha,
however often one looks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import timedelta

from opsloop.core.workspace import UnitOfWork
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord
from opsloop.releases.analysis.confidence import MeanSequence
from opsloop.releases.failures import has_failed
from opsloop.remediation.checks.case import Case
from opsloop.remediation.models import Finding

NAME = "requests"
ALPHA = 0.05
BEFORE = timedelta(minutes=15)
MOST = 5_000
SLOW_QUANTILE, SLOW_FACTOR = 0.95, 2.0
"""Slow is what takes twice as long as 95 % of the requests before did."""
_VERBS = {"failed": "failed", "guarded": "ran into guardrails", "slow": "were slow"}


class RequestsCheck:
    def look(self, uow: UnitOfWork, case: Case) -> Finding | None:
        if not case.endpoint:
            return None
        before = _answered(uow, case, is_after=False)
        after = _answered(uow, case, is_after=True)
        if not after:
            return Finding(NAME, "unclear", "nothing was asked since")
        found = [_compared(name, before, after, is_bad) for name, is_bad in _kinds(before).items()]
        for verdict in ("worse", "better"):
            if said := next((each for each in found if each.verdict == verdict), None):
                return said
        if len(after) < case.least_requests:
            return Finding(NAME, "few", f"{len(after)} requests since; {case.least_requests} are needed to tell")
        return Finding(NAME, "same", f"{len(after)} requests since, and nothing of them is worse than before")


def _kinds(before: list[RequestRecord]) -> dict[str, Callable[[RequestRecord], bool]]:
    kinds: dict[str, Callable[[RequestRecord], bool]] = {"failed": has_failed, "guarded": lambda each: each.guarded}
    took = sorted(each.duration_ms for each in before if each.status == "ok")
    if took:
        limit_ms = SLOW_FACTOR * took[math.ceil(SLOW_QUANTILE * len(took)) - 1]
        kinds["slow"] = lambda each: each.status == "ok" and each.duration_ms > limit_ms
    return kinds


def _compared(
    name: str, before: list[RequestRecord], after: list[RequestRecord], is_bad: Callable[[RequestRecord], bool]
) -> Finding:
    earlier, later = _sequence(map(is_bad, before)), _sequence(map(is_bad, after))
    verdict = "same"
    if later.interval.low > earlier.interval.high:
        verdict = "worse"
    elif later.interval.high < earlier.interval.low and name != "slow":
        verdict = "better"
    shares = f"{later.mean or 0:.1%} of {later.count} after it, {earlier.mean or 0:.1%} of {earlier.count} before"
    return Finding(NAME, verdict, f"requests {_VERBS[name]}: {shares}")


def _sequence(outcomes: Iterable[bool]) -> MeanSequence:
    found = MeanSequence(ALPHA / (2 * len(_VERBS)))
    for each in outcomes:
        found.observe(float(each))
    return found


def _answered(uow: UnitOfWork, case: Case, *, is_after: bool) -> list[RequestRecord]:
    """What was asked of releases, the oldest first."""
    span = (case.acted_at, uow.clock.now() + timedelta(seconds=1)) if is_after else (case.before - BEFORE, case.before)
    found = records.between(uow, case.endpoint, *span, limit=MOST)
    return [each for each in reversed(found) if each.status not in ("shed", "cancelled") and not each.shadow]


CHECK = RequestsCheck()
