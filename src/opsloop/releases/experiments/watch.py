"""What the driver of an A/B test knows: each user's first answer and first word, summed up.

As `releases.watch` it is made of stored rows alone, and knows the same after a restart. A
user is the unit: with sticky routing a second answer says nothing new of who is better.
"""

from __future__ import annotations

from typing import Any

import msgspec

from opsloop.monitoring.models import RequestRecord
from opsloop.releases.analysis.confidence import MeanSequence
from opsloop.releases.experiments import reading
from opsloop.releases.experiments.measures import MEASURES, Measure
from opsloop.releases.experiments.models import MetricReport, UserCounts
from opsloop.releases.outcomes import Outcome, Wanted, Word
from opsloop.releases.plan import ExperimentPlan, MetricPlan


class Compared:
    """One metric on both sides, one value a user."""

    def __init__(self, plan: MetricPlan, alpha: float) -> None:
        self.plan = plan
        self.measure: Measure = MEASURES[plan.name]
        self.arms = {name: MeanSequence(alpha / 2.0) for name in ("candidate", "stable")}
        self._seen: set[str] = set()

    def count(self, subject: str, arm: str, value: float | None) -> None:
        if value is not None and subject not in self._seen:
            self._seen.add(subject)
            self.arms[arm].observe(min(max(value, 0.0), self.plan.cap) / self.plan.cap)

    @property
    def report(self) -> MetricReport:
        return reading.metric(self.measure, self.plan, self.arms["candidate"], self.arms["stable"])


class ExperimentWatch:
    """Args: share: of users that are drawn for the candidate."""

    def __init__(self, plan: ExperimentPlan, *, share: float) -> None:
        self.plan = plan
        self._share = share
        self._compared = [Compared(each, plan.alpha / len(plan.metrics)) for each in plan.metrics]
        self._heard = [each for each in self._compared if each.measure.of is None]
        self._users: dict[str, set[str]] = {"candidate": set(), "stable": set()}

    @property
    def wanted(self) -> Wanted:
        return frozenset({RequestRecord, Word}) if self._heard else frozenset({RequestRecord})

    def take(self, outcome: Outcome) -> None:
        match outcome:
            case RequestRecord():
                self.see(outcome)
            case Word(record, given):
                self._hear(record, given.score)
            case _:
                pass

    def see(self, record: RequestRecord) -> None:
        """Count a user, and what this attempt says. Whoever was shed met an arm too, though it was not asked."""
        if record.shadow or record.candidate_share != self._share:
            return
        self._users[record.arm].add(record.subject)
        if record.status == "shed":
            return
        for each in self._compared:
            if each.measure.of is not None:
                each.count(record.subject, record.arm, each.measure.of(record))

    @property
    def users(self) -> UserCounts:
        return reading.users(len(self._users["candidate"]), len(self._users["stable"]), share=self._share)

    @property
    def metrics(self) -> tuple[MetricReport, ...]:
        return tuple(each.report for each in self._compared)

    def figures(self) -> dict[str, Any]:
        """Counts and intervals as JSON values, for the rollout's evidence."""
        found: dict[str, Any] = msgspec.to_builtins({"users": self.users, "metrics": list(self.metrics)})
        return found

    def _hear(self, record: RequestRecord, score: float) -> None:
        """The answer to a shielded attempt was stable's, and speaks for neither arm."""
        if not record.shielded and not record.shadow and record.candidate_share == self._share:
            for each in self._heard:
                each.count(record.subject, record.arm, score)
