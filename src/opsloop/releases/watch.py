"""What the driver of one rollout knows: its outcomes so far, weighed.

It lives in memory and is made of stored rows alone: after a restart a new one is given the rollout's outcomes from its
start and knows the same.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from opsloop.monitoring.models import RequestRecord
from opsloop.monitoring.objectives.arrivals import LiveScore
from opsloop.releases._exposure import ArmExposure, StepExposure, Times
from opsloop.releases.analysis.adverse import AdverseProcess
from opsloop.releases.analysis.evidence import DISSATISFIED, ERROR, GUARDED, QUALITY, SLOW, Evidence, Reading, weigh
from opsloop.releases.analysis.readings import adverse_reading
from opsloop.releases.analysis.stepping import Readiness, StepRule, readiness
from opsloop.releases.failures import has_failed
from opsloop.releases.judged import Judged
from opsloop.releases.labelled import Loss
from opsloop.releases.models import RolloutStep
from opsloop.releases.outcomes import Outcome, Wanted, Word
from opsloop.releases.plan import KINDS, Plan


class Watch:
    """Weighs the outcomes of one rollout and says what they show."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.candidate = ArmExposure()
        self.stable = ArmExposure()
        self._times = Times()
        self._steps: dict[float, StepExposure] = {step.share: StepExposure() for step in plan.steps}
        self._processes = {kind: AdverseProcess() for kind in plan.analysis.kinds if kind != QUALITY.name}
        self._judged = Judged() if QUALITY.name in plan.analysis.kinds else None

    @property
    def wanted(self) -> Wanted:
        found: set[type[Outcome]] = {RequestRecord}
        if DISSATISFIED.name in self._processes:
            found.add(Word)
        if self._judged is not None:
            found |= {Loss, LiveScore}
        return frozenset(found)

    def take(self, outcome: Outcome) -> None:
        match outcome:
            case RequestRecord():
                self.see(outcome)
            case Word(record, given) if not given.is_satisfied:
                self.hear(record)
            case Loss() | LiveScore() if self._judged is not None:
                self._judged.take(outcome)
            case _:
                pass

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
        if not record.shielded and not record.shadow:
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
            total_weight=math.fsum(KINDS[kind].weight for kind in self.plan.analysis.kinds),
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
        return readings if self._judged is None else [*readings, *self._judged.readings]

    def readiness(self, step: RolloutStep) -> Readiness:
        """Whether this step has shown enough for the next."""
        exposure = self._steps[step.share]
        rule = StepRule(
            minimum_subjects=step.min_subjects,
            tolerance=self.plan.analysis.tolerance,
            alpha=self.plan.analysis.step_alpha,
        )
        shown = readiness(rule, {kind: exposure.counts(kind) for kind in self._processes}, share=step.share)
        return shown if step != self.plan.steps[-1] else self._with_scores(shown)

    def _with_scores(self, shown: Readiness) -> Readiness:
        scored = 0 if self._judged is None else self._judged.fewest
        if not shown.is_ready or scored >= self.plan.min_scores:
            return shown
        sentence = (
            f"not enough evidence: {scored:,} users of each release had an answer scored, "
            f"{self.plan.min_scores:,} are needed"
        )
        return replace(shown, is_ready=False, sentence=sentence)

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
