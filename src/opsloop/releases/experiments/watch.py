"""What the driver of an A/B test knows: each user's first answer and first word, summed up.

As `releases.watch` it is made of stored records alone, reads on incrementally, and knows the same after a restart. A
user is the unit: with sticky routing a second answer says nothing new of who is better.
"""

from __future__ import annotations

from typing import Any

import msgspec

from opsloop.core.workspace import UnitOfWork
from opsloop.feedback import service as feedback
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord
from opsloop.releases.analysis.confidence import MeanSequence
from opsloop.releases.experiments import reading
from opsloop.releases.experiments.measures import MEASURES, Measure
from opsloop.releases.experiments.models import MetricReport, UserCounts
from opsloop.releases.plan import ExperimentPlan, MetricPlan

PAGE = 2_000
MAX_EARLY = 10_000
"""Words kept that came before their request's record; beyond it the oldest is forgotten."""


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
    """Args: share: of users that are drawn for the candidate; feedback_after: the newest feedback when it began."""

    def __init__(self, rollout: str, endpoint: str, plan: ExperimentPlan, *, share: float, feedback_after: int) -> None:
        self.rollout = rollout
        self.endpoint = endpoint
        self.plan = plan
        self._share = share
        self._compared = [Compared(each, plan.alpha / len(plan.metrics)) for each in plan.metrics]
        self._heard = [each for each in self._compared if each.measure.of is None]
        self._users: dict[str, set[str]] = {"candidate": set(), "stable": set()}
        self._last_record = 0
        self._last_feedback = feedback_after
        self._early: dict[str, float] = {}

    def look(self, uow: UnitOfWork) -> int:
        """Read what came since the last look; returns how much that was."""
        count = self._see_new(uow)
        return count + (self._hear_new(uow) if self._heard else 0)

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
        if record.request_id in self._early:
            self._hear(record, self._early.pop(record.request_id))

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

    def _see_new(self, uow: UnitOfWork) -> int:
        count, is_more = 0, True
        while is_more:
            page = records.since(uow, self.endpoint, self.rollout, self._last_record, PAGE)
            for self._last_record, record in page:
                self.see(record)
            count += len(page)
            is_more = len(page) == PAGE
        return count

    def _hear_new(self, uow: UnitOfWork) -> int:
        count, is_more = 0, True
        while is_more:
            page = feedback.since(uow, self._last_feedback, limit=PAGE)
            for given in page:
                self._last_feedback = given.seq
                self._hear_of(uow, given.request_id, given.score)
            count += len(page)
            is_more = len(page) == PAGE
        return count

    def _hear_of(self, uow: UnitOfWork, request_id: str, score: float) -> None:
        answers = [record for _seq, record in records.newest(uow, request_id=request_id)]
        if not answers:
            self._early[request_id] = score
            if len(self._early) > MAX_EARLY:
                del self._early[next(iter(self._early))]
        for record in answers:
            if record.rollout == self.rollout and not record.shadow:
                self._hear(record, score)

    def _hear(self, record: RequestRecord, score: float) -> None:
        """The answer to a shielded attempt was stable's, and speaks for neither arm."""
        if not record.shielded and record.candidate_share == self._share:
            for each in self._heard:
                each.count(record.subject, record.arm, score)
