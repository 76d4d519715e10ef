"""The kinds of trouble of one rollout, weighed together: is the candidate worse, and on what evidence?

Each kind has its own e-process; together they share the rollout's alpha by weighted Bonferroni: kind k stops the
rollout when its E reaches 1 / (weight_k alpha), weights summing to 1 over the kinds that are watched. The chance that
an equal candidate is ever stopped is at most alpha, and so is the chance that a kind is named in which it is equal
(averaging the E would be a little quicker and could not name one). The kinds need not be independent.

Source: P. Grünwald, R. de Heide, W. Koolen, Safe testing, JRSS B 86 (2024), 1091-1128, section 1 (an e-value of at
least 1/alpha rejects at level alpha under any stopping rule).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from opsloop.core.errors import InvalidInput

ALPHA = 0.01
"""The chance, per rollout, that a candidate as good as stable is stopped."""

MINIMUM_SUBJECTS = 30
"""Candidate subjects below which "no evidence" would only mean "nobody came"."""

_MAX_LOG = 690.0  # exp of more does not fit into a float


class Finding(StrEnum):
    """What the evidence says about the candidate."""

    WORSE = "worse"
    NO_EVIDENCE = "no_evidence"
    NOT_ENOUGH = "not_enough"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of trouble: its name, its share of alpha and the words for a sentence."""

    name: str
    weight: float
    verb: str = "fails"
    participle: str = "failing"


ERROR = Kind("error", 0.40, "fails", "failing")
SLOW = Kind("slow", 0.25, "is slow", "waiting")
DISSATISFIED = Kind("dissatisfied", 0.15, "displeases", "displeased")
GUARDED = Kind("guarded", 0.20, "runs into guardrails", "guarded")
QUALITY = Kind("quality", 0.20, "scores lower", "judged")


@dataclass(frozen=True, slots=True)
class Arm:
    """How many subjects one side served, and for how many of them something went wrong."""

    subjects: int = 0
    adverse: int = 0

    @property
    def rate(self) -> float | None:
        return self.adverse / self.subjects if self.subjects else None


@dataclass(frozen=True, slots=True)
class Reading:
    """What one kind shows now. `log_e` is the natural logarithm of its e-value; `claim` puts the figures in words.

    `relative_risk` is None for scores, and while it cannot be estimated.
    """

    kind: Kind
    log_e: float
    candidate: Arm
    stable: Arm
    claim: str
    relative_risk: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The finding over all kinds, with the kind that decided it or came nearest to.

    `e_value` is cut at 1e299; `threshold` is what it must reach, for this kind.
    """

    finding: Finding
    sentence: str
    kind: str
    e_value: float
    threshold: float
    candidate: Arm
    stable: Arm
    relative_risk: float | None
    readings: tuple[Reading, ...]


def weigh(
    readings: Sequence[Reading],
    *,
    candidate_subjects: int,
    alpha: float = ALPHA,
    minimum_subjects: int = MINIMUM_SUBJECTS,
    total_weight: float | None = None,
    unit: str = "user",
) -> Evidence:
    """The finding over all kinds of a rollout.

    Evidence that the candidate is worse counts from the first subject on; only its absence needs a minimum of subjects.

    Args:
        readings: one per watched kind, also those without an event; a kind has the same weight at every look.
        candidate_subjects: how many subjects the candidate has served.
        alpha: the chance that an equal candidate is ever stopped, above 0 to below 1.
        minimum_subjects: candidate subjects below which the finding is `not_enough`.
        total_weight: of all kinds that there may ever be, where some come later; None: of these.
    """
    _check(readings, alpha)
    shown = math.fsum(reading.kind.weight for reading in readings)
    total = shown if total_weight is None else total_weight
    if shown > total + 1e-9:
        raise InvalidInput(field="total_weight", value=total, wanted=f"at least {shown:g}, what these kinds have")
    limits = [math.log(total / (reading.kind.weight * alpha)) for reading in readings]
    strongest = max(range(len(readings)), key=lambda index: readings[index].log_e - limits[index])
    reading, limit = readings[strongest], limits[strongest]
    finding = _finding(reading.log_e >= limit, candidate_subjects, minimum_subjects)
    seen = f"{candidate_subjects:,} of {minimum_subjects:,} candidate {unit}s"
    return Evidence(
        finding=finding,
        sentence=_sentence(finding, reading, limit, seen),
        kind=reading.kind.name,
        e_value=math.exp(min(reading.log_e, _MAX_LOG)),
        threshold=math.exp(limit),
        candidate=reading.candidate,
        stable=reading.stable,
        relative_risk=reading.relative_risk,
        readings=tuple(readings),
    )


def _check(readings: Sequence[Reading], alpha: float) -> None:
    if not readings:
        raise InvalidInput(field="readings", value=[], wanted="at least one kind to watch")
    if not 0.0 < alpha < 1.0:
        raise InvalidInput(field="alpha", value=alpha, wanted="a number above 0 and below 1")
    for reading in readings:
        if not reading.kind.weight > 0.0:
            raise InvalidInput(field=f"weight of {reading.kind.name}", value=reading.kind.weight, wanted="above 0")


def _finding(is_worse: bool, subjects: int, minimum: int) -> Finding:
    if is_worse:
        return Finding.WORSE
    return Finding.NOT_ENOUGH if subjects < minimum else Finding.NO_EVIDENCE


def _sentence(finding: Finding, reading: Reading, limit: float, seen: str) -> str:
    figures = f"e = {_e_text(reading.log_e)}"
    if finding is Finding.WORSE:
        return f"{reading.claim}, {figures} >= {_e_text(limit)}"
    if finding is Finding.NOT_ENOUGH:
        return f"not enough evidence: {seen} seen; {reading.claim}"
    return f"no evidence that the candidate is worse: {reading.claim}, {figures} < {_e_text(limit)}"


def _e_text(log_e: float) -> str:
    if log_e > math.log(1e6):
        return f"1e{log_e / math.log(10):.0f}"
    value = math.exp(log_e)
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
