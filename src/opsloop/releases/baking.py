"""The watch over a release that became stable: a durable job until its time is over or another release serves.

Each limit is on a rate of its plan. It is exceeded when the lower end of the rate's confidence sequence is above it:
the chance that a release which keeps all its limits is ever left is at most the plan's alpha, however often one looks.
"""

from __future__ import annotations

from typing import Any

import structlog

from opsloop.core.caller import system
from opsloop.core.errors import Unavailable
from opsloop.core.jobs.registry import JobContext, job
from opsloop.core.workspace import UnitOfWork, Workspace
from opsloop.monitoring.models import RequestRecord
from opsloop.monitoring.records import BELL
from opsloop.releases import rollouts, triggers
from opsloop.releases._tables import EndpointRow, RolloutRow
from opsloop.releases.analysis.confidence import MeanSequence
from opsloop.releases.failures import has_failed
from opsloop.releases.outcomes import Marks, Outcome, Outcomes, Wanted, Word
from opsloop.releases.plan import BakePlan, from_stored
from opsloop.releases.settings import RolloutSettings

log = structlog.get_logger()
BY = system("releases")
_SAID = {
    "error": "requests failed",
    "slow": "answers were slow",
    "dissatisfied": "words were dissatisfied",
    "guarded": "requests ran into guardrails",
}


@job(rollouts.BAKE)
def bake(context: JobContext, payload: dict[str, Any]) -> None:
    """Look whenever records come in, and at least every tick."""
    workspace = context.workspace
    tick_s = workspace.section(RolloutSettings).rollout_tick_s
    watch = context.patiently(lambda: BakeWatch.of(workspace, payload["rollout"], payload))
    bell = workspace.bell(BELL)
    while not _look(watch, workspace):
        bell.wait(timeout_s=tick_s)
        context.yield_back()


def _look(watch: BakeWatch, workspace: Workspace) -> bool:
    """Whether there is nothing left to watch."""
    try:
        return watch.tick(workspace)
    except Unavailable as error:
        log.warning("bake_waits_for_database", rollout=watch.rollout, error=error.sentence)
        return False


class BakeWatch:
    """Args: after, feedback_after: the newest record and feedback when the release became stable."""

    def __init__(self, row: RolloutRow, plan: BakePlan, *, after: int, feedback_after: int) -> None:
        self.rollout = row.id
        self._endpoint = row.endpoint
        self._release = row.release
        self._plan = plan
        wanted: Wanted = frozenset({RequestRecord, Word} if "dissatisfied" in plan.limits else {RequestRecord})
        self._outcomes = Outcomes(row.endpoint, None, wanted, Marks(record=after, feedback=feedback_after))
        alpha = plan.alpha / max(1, len(plan.limits))
        self.rates = {name: MeanSequence(alpha) for name in plan.limits}

    @classmethod
    def of(cls, workspace: Workspace, rollout: str, payload: dict[str, Any]) -> BakeWatch:
        """Raises: NotFound."""
        with workspace.reading(BY) as uow:
            row = rollouts.found(uow, rollout)
            bake = from_stored(row.plan).bake
            return cls(row, bake, after=payload["after"], feedback_after=payload["feedback_after"])

    def tick(self, workspace: Workspace) -> bool:
        """Read what came, and pull the trigger on a limit that is exceeded; whether the watch is over."""
        with workspace.reading(BY) as uow:
            if self._is_over(uow):
                return True
            for outcome in self._outcomes.new(uow):
                self.take(outcome)
        if (found := self.exceeded()) is None:
            return False
        cause, reason = found
        with workspace.writing(BY) as uow:
            triggers.pull(uow, self._endpoint, cause=cause, reason=reason, release=self._release)
        del self.rates[cause]
        return not self.rates

    def exceeded(self) -> tuple[str, str] | None:
        """The first limit that is, and how far, as a sentence."""
        for name, rate in self.rates.items():
            low, limit = rate.interval.low, self._plan.limits[name]
            if low > limit:
                return name, f"{low:.1%} of {rate.count:,} {_SAID[name]} at least, the limit is {limit:.1%}"
        return None

    def _is_over(self, uow: UnitOfWork) -> bool:
        row = rollouts.found(uow, self.rollout)
        endpoint = uow.session.get_one(EndpointRow, self._endpoint)
        return row.bakes_until is None or row.bakes_until <= uow.clock.now() or endpoint.stable != self._release

    def take(self, outcome: Outcome) -> None:
        match outcome:
            case RequestRecord():
                self.see(outcome)
            case Word(record, given) if record.release == self._release:
                self._count("dissatisfied", not given.is_satisfied)
            case _:
                pass

    def see(self, record: RequestRecord) -> None:
        """Count what it did for one request."""
        if record.release != self._release or record.shadow or record.status in ("shed", "cancelled"):
            return
        self._count("error", has_failed(record))
        self._count("guarded", record.guarded)
        if record.status == "ok":
            self._count("slow", record.duration_ms > self._plan.slow_ms)

    def _count(self, name: str, is_bad: bool) -> None:
        if name in self.rates:
            self.rates[name].observe(float(is_bad))
