"""What the driver of a rollout knows of the shadow: its pairs so far, weighed.

As `Watch` it is made of stored rows alone, and knows the same after a restart.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from typing import Any

from opsloop.monitoring.models import RequestRecord
from opsloop.releases.analysis.evidence import ERROR, SLOW, Evidence
from opsloop.releases.analysis.shadowing import Losses, Pairs, ShadowRule, Trouble, evidence, readiness
from opsloop.releases.analysis.stepping import Readiness
from opsloop.releases.failures import has_failed
from opsloop.releases.labelled import Loss
from opsloop.releases.outcomes import Outcome, Wanted
from opsloop.releases.plan import KINDS, Plan, ShadowPlan

WORST = 10
"""Pairs that are told by their request's id: those whose answers are least alike."""

MAX_WAITING = 50_000
"""Records kept whose other half has not come; beyond it the oldest is forgotten."""

_KINDS = (ERROR.name, SLOW.name)


@dataclass(slots=True)
class Side:
    """What one arm did in the pairs."""

    answered: int = 0
    abstained: int = 0
    tokens: int = 0
    duration_ms: float = 0.0

    def count(self, record: RequestRecord) -> None:
        self.tokens += record.tokens_in + record.tokens_out
        if record.status == "ok":
            self.answered += 1
            self.abstained += bool(record.abstained)
            self.duration_ms += record.duration_ms

    def figures(self) -> dict[str, Any]:
        mean_ms = round(self.duration_ms / self.answered, 3) if self.answered else None
        return {"answered": self.answered, "abstained": self.abstained, "tokens": self.tokens, "mean_ms": mean_ms}


class ShadowWatch:
    """Pairs each copied request of one rollout with what stable did."""

    def __init__(self, plan: Plan, shadow: ShadowPlan) -> None:
        self.plan = plan
        kinds = [KINDS[name] for name in plan.analysis.kinds if name in _KINDS] or [ERROR]
        self.pairs = Pairs({kind: Trouble() for kind in kinds}, Losses(shadow.margin))
        self._rule = ShadowRule(
            min_pairs=shadow.min_pairs,
            tolerance=plan.analysis.tolerance,
            alpha=plan.analysis.step_alpha,
            min_agreement=shadow.min_agreement,
            min_labels=shadow.min_labels,
        )
        self._sides = {"candidate": Side(), "stable": Side()}
        self._worst: list[tuple[float, str]] = []
        self._max_tokens = shadow.max_tokens
        self._waiting: dict[str, RequestRecord] = {}

    wanted: Wanted = frozenset({RequestRecord, Loss})

    def take(self, outcome: Outcome) -> None:
        match outcome:
            case RequestRecord():
                self.see(outcome)
            case Loss():
                self.hear(outcome)
            case _:
                pass

    def see(self, record: RequestRecord) -> None:
        """Count a copied request as soon as both arms' records are there.

        What was wrong in itself, what stable was never asked and what its caller left say nothing of the candidate.
        """
        other = self._waiting.pop(record.original_id, None)
        if other is None:
            self._keep_waiting(record)
        elif other.shadow != record.shadow:
            candidate, stable = (record, other) if record.shadow else (other, record)
            if stable.status in ("ok", "error") and not _is_wrong_in_itself(stable):
                self._pair(candidate, stable)

    def _keep_waiting(self, record: RequestRecord) -> None:
        if not record.shadow and record.arm == "candidate":
            return  # it answered callers, in a later step
        self._waiting[record.original_id] = record
        if len(self._waiting) > MAX_WAITING:  # most of them were no copied requests
            del self._waiting[next(iter(self._waiting))]

    def _pair(self, candidate: RequestRecord, stable: RequestRecord) -> None:
        self.pairs.count += 1
        if candidate.agreement is not None:
            self.pairs.agreed(candidate.agreement)
            self._keep_worst(candidate.agreement, stable.request_id)
        self._sides["candidate"].count(candidate)
        self._sides["stable"].count(stable)
        for kind, trouble in self.pairs.troubles.items():
            had = self._was_slow if kind is SLOW else has_failed
            trouble.count(candidate=had(candidate), stable=had(stable))

    def _keep_worst(self, agreement: float, request_id: str) -> None:
        if agreement < 1.0:
            insort(self._worst, (agreement, request_id))
            del self._worst[WORST:]

    @property
    def is_spent(self) -> bool:
        """Whether the copies have used as many tokens as they may."""
        return 0 < self._max_tokens <= self._sides["candidate"].tokens

    def _was_slow(self, record: RequestRecord) -> bool:
        return record.duration_ms > self.plan.analysis.slow_ms

    def hear(self, loss: Loss) -> None:
        """Count a labelled row that both predicted."""
        if loss.beside is not None and not loss.is_candidate:
            self.pairs.losses.count(candidate=loss.beside, stable=loss.loss)

    @property
    def evidence(self) -> Evidence:
        return evidence(self.pairs, alpha=self.plan.analysis.alpha)

    @property
    def readiness(self) -> Readiness:
        return readiness(self._rule, self.pairs)

    def figures(self) -> dict[str, Any]:
        """Counts and findings as JSON values."""
        pairs, found = self.pairs, self.evidence
        losses = pairs.losses
        return {
            "pairs": pairs.count,
            "is_spent": self.is_spent,
            "sides": {name: side.figures() for name, side in self._sides.items()},
            "worst": [{"request_id": request_id, "agreement": agreement} for agreement, request_id in self._worst],
            "agreement": pairs.mean_agreement,
            "labelled": losses.pairs,
            "candidate_loss": losses.candidate / losses.pairs if losses.pairs else None,
            "stable_loss": losses.stable / losses.pairs if losses.pairs else None,
            "kinds": {
                kind.name: {"candidate_only": each.worse, "stable_only": each.better, "both": each.both}
                for kind, each in pairs.troubles.items()
            },
            "finding": found.finding.value,
            "sentence": found.sentence,
        }


def _is_wrong_in_itself(record: RequestRecord) -> bool:
    return record.status == "error" and 400 <= record.http_status < 500
