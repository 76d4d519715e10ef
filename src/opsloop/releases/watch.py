"""What the driver of one rollout knows: its records and feedback so far, weighed.

It lives in memory and is made of stored records alone: after a restart a new one reads the rollout from its start and
knows the same. Reading on is incremental.
"""

from __future__ import annotations

from typing import Any

from opsloop.core.workspace import UnitOfWork
from opsloop.feedback import service as feedback
from opsloop.monitoring import records
from opsloop.monitoring.models import RequestRecord
from opsloop.releases import labelled
from opsloop.releases._exposure import ArmExposure, StepExposure, Times
from opsloop.releases.analysis.adverse import AdverseProcess
from opsloop.releases.analysis.evidence import DISSATISFIED, ERROR, GUARDED, QUALITY, SLOW, Evidence, Reading, weigh
from opsloop.releases.analysis.readings import adverse_reading, score_reading
from opsloop.releases.analysis.scores import ScoreProcess
from opsloop.releases.analysis.stepping import Readiness, StepRule, readiness
from opsloop.releases.failures import has_failed
from opsloop.releases.labelled import Loss
from opsloop.releases.models import RolloutStep
from opsloop.releases.plan import KINDS, Plan

PAGE = 2_000
MAX_EARLY = 10_000
"""Bad feedback kept that came before its request's record; beyond it the oldest is forgotten."""


class Watch:
    """Reads one rollout's records and says what they show.

    Args:
        feedback_after: number of the newest feedback when the rollout began.
    """

    def __init__(self, rollout: str, endpoint: str, plan: Plan, *, feedback_after: int = 0) -> None:
        self.rollout = rollout
        self.endpoint = endpoint
        self.plan = plan
        self.candidate = ArmExposure()
        self.stable = ArmExposure()
        self._times = Times()
        self._steps: dict[float, StepExposure] = {step.share: StepExposure() for step in plan.steps}
        self._processes = {kind: AdverseProcess() for kind in plan.analysis.kinds if kind != QUALITY.name}
        self._scores = ScoreProcess() if QUALITY.name in plan.analysis.kinds else None
        self._scored: set[str] = set()
        self._last_label = 0
        self._last_record = 0
        self._last_feedback = feedback_after
        self._early: dict[str, None] = {}

    def look(self, uow: UnitOfWork) -> int:
        """Read what came since the last look; returns how much that was."""
        count = self._see_new(uow)
        if DISSATISFIED.name in self._processes:
            count += self._hear_new(uow)
        if self._scores is not None:
            count += self._score_new(uow, self._scores)
        return count

    def _score_new(self, uow: UnitOfWork, scores: ScoreProcess) -> int:
        count, is_more = 0, True
        while is_more:
            page = labelled.since(
                uow, self.endpoint, self.rollout, self._last_label, PAGE, scale=self.plan.analysis.error_scale
            )
            for loss in page:
                self._last_label = loss.seq
                self._score(loss, scores)
            count += len(page)
            is_more = len(page) == PAGE
        return count

    def _score(self, loss: Loss, scores: ScoreProcess) -> None:
        """One score of a subject: with sticky routing a second one says nothing new of who is better."""
        if loss.beside is None and loss.subject not in self._scored:
            self._scored.add(loss.subject)
            scores.observe(1.0 - loss.loss, candidate=loss.is_candidate, at_s=loss.at.timestamp())

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
                if not given.is_satisfied:
                    self._hear_of(uow, given.request_id)
            count += len(page)
            is_more = len(page) == PAGE
        return count

    def _hear_of(self, uow: UnitOfWork, request_id: str) -> None:
        answers = [record for _seq, record in records.newest(uow, request_id=request_id)]
        if not answers:
            self._early[request_id] = None
            if len(self._early) > MAX_EARLY:
                del self._early[next(iter(self._early))]
        for record in answers:
            if record.rollout == self.rollout:
                self.hear(record)

    def see(self, record: RequestRecord) -> None:
        """Count one attempt of an arm to answer.

        Shed requests were never asked of an arm, and nobody got the answer to a copy. A caller who went away says
        something only when it waited too long.
        """
        if record.status == "shed" or record.shadow:
            return
        is_candidate = record.arm == "candidate"
        failed = has_failed(record)
        (self.candidate if is_candidate else self.stable).count(record, failed=failed)
        if is_candidate:
            self._times.asked(record)
        slow = SLOW.name in self._processes and record.duration_ms > self.plan.analysis.slow_ms
        if record.status == "cancelled" and not slow:
            return
        if (step := self._steps.get(record.candidate_share)) is not None:
            step.count(record.subject, candidate=is_candidate)
        if record.request_id in self._early:
            del self._early[record.request_id]
            self.hear(record)
        if failed:
            self._trouble(ERROR.name, record)
        if slow:
            self._trouble(SLOW.name, record)
        if record.guarded:
            self._trouble(GUARDED.name, record)

    def hear(self, record: RequestRecord) -> None:
        """Count that whoever asked was dissatisfied with the answer that this record is of.

        The answer to a shielded attempt was stable's, and speaks for neither arm. A better word that comes later does
        not take the first one back.
        """
        if not record.shielded:
            self._trouble(DISSATISFIED.name, record)

    def _trouble(self, kind: str, record: RequestRecord) -> None:
        if kind not in self._processes:
            return
        is_candidate = record.arm == "candidate"
        self._processes[kind].observe(record.subject, candidate=is_candidate, share=record.candidate_share)
        if (step := self._steps.get(record.candidate_share)) is not None:
            step.trouble(kind, record.subject, candidate=is_candidate)
        if is_candidate:
            self._times.bad(record)

    @property
    def evidence(self) -> Evidence:
        return weigh(
            self._readings(),
            candidate_subjects=len(self.candidate.users),
            alpha=self.plan.analysis.alpha,
        )

    def _readings(self) -> list[Reading]:
        readings = [
            adverse_reading(
                KINDS[kind],
                process,
                candidate_subjects=len(self.candidate.users),
                stable_subjects=len(self.stable.users),
            )
            for kind, process in self._processes.items()
        ]
        return readings if self._scores is None else [*readings, score_reading(QUALITY, self._scores)]

    def readiness(self, step: RolloutStep) -> Readiness:
        """Whether this step has shown enough for the next."""
        exposure = self._steps[step.share]
        rule = StepRule(
            minimum_subjects=step.min_subjects,
            tolerance=self.plan.analysis.tolerance,
            alpha=self.plan.analysis.step_alpha,
        )
        return readiness(rule, {kind: exposure.counts(kind) for kind in self._processes}, share=step.share)

    def figures(self) -> dict[str, Any]:
        """Counts and findings as JSON values, for the rollout's evidence."""
        return {
            "candidate": self.candidate.figures(),
            "stable": self.stable.figures(),
            "analysis": _analysis(self.evidence),
            **self._times.figures(),
        }


def _analysis(evidence: Evidence) -> dict[str, Any]:
    return {
        "finding": evidence.finding.value,
        "sentence": evidence.sentence,
        "kind": evidence.kind,
        "e_value": evidence.e_value,
        "threshold": evidence.threshold,
        "relative_risk": evidence.relative_risk,
        "kinds": {
            reading.kind.name: {
                "candidate": {"subjects": reading.candidate.subjects, "adverse": reading.candidate.adverse},
                "stable": {"subjects": reading.stable.subjects, "adverse": reading.stable.adverse},
                "claim": reading.claim,
            }
            for reading in evidence.readings
        },
    }
