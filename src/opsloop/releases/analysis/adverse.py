"""An e-process on labels: given that a subject fails, is it one that the candidate serves?

If candidate and stable were equally good, a failing subject would belong to the candidate with exactly the chance with
which routing sends a subject there: the share. How many subjects fail, and when, does not enter: an outage that hits
both arms leaves the labels as they are. Against a relative risk r the label has the likelihood ratio

    r / (1 - share + share r)   for the candidate,      1 / (1 - share + share r)   for stable,

with mean 1 under equality and mean below 1 when the candidate is better. The product over subjects, averaged over a
fixed set of r, is a test martingale E; the chance that it ever reaches 1/alpha is at most alpha, however often one
looks.

What makes it valid:

* One subject, one label. The unit that is routed is the unit that is counted: only a subject's first adverse event of
  its kind counts, since with sticky routing every later one has the same label and says nothing new. Counting requests
  of sticky users multiplies the evidence and stops good candidates.
* The bucket of a subject is drawn by a hash salted per rollout, so that it is independent of how often the subject
  fails and of the rollouts before.
* The share may change between events. With nested buckets (candidate if bucket < share) and equal arms, a subject that
  has not failed yet still has a uniform bucket, whatever the share was before; the share that counts is the one in
  force when the failing request was routed, and it may depend on everything seen earlier. The share must not fall
  within one process when the candidate may be better than stable: begin a new process instead. (While it never falls,
  a candidate that only delays failures makes E smaller, path by path: its factors above 1 come later or not at all.)
* At a share of 0 or 1 the label is certain and the factor is 1: the event is skipped.

Sources: J. Ville, Étude critique de la notion de collectif (1939); A. Wald, Sequential Analysis (1947), mixtures;
J. ter Schure, M. F. Pérez-Ortiz, A. Ly, P. Grünwald, The safe logrank test, arXiv 2011.06931 (likelihood ratio of
the label given the event); A. Ramdas, P. Grünwald, V. Vovk, G. Shafer, Game-theoretic statistics and safe
anytime-valid inference, Statistical Science 38 (2023).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableSet

from opsloop.core.errors import InvalidInput
from opsloop.releases.analysis._state import number

RELATIVE_RISKS = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
"""The alternatives that are mixed with equal weight: from hardly visible to broken."""

_LOG_RISKS = tuple(math.log(risk) for risk in RELATIVE_RISKS)
_LOG_COUNT = math.log(len(RELATIVE_RISKS))


class AdverseProcess:
    """The evidence that failing subjects are the candidate's more often than routing explains.

    Args:
        seen: ids of subjects that have already counted; give a set that outlives the process (it is not part of the
            state).
    """

    __slots__ = ("_log_norms", "candidate", "expected", "seen", "stable")

    def __init__(self, seen: MutableSet[str] | None = None) -> None:
        self.seen: MutableSet[str] = set() if seen is None else seen
        self.candidate = 0
        """Failing subjects that the candidate served."""
        self.stable = 0
        """Failing subjects that stable served."""
        self.expected = 0.0
        """How many of all of them routing alone would have given to the candidate."""
        self._log_norms = [0.0] * len(RELATIVE_RISKS)

    def observe(self, subject: str, *, candidate: bool, share: float) -> bool:
        """Count an adverse event of a subject; answers False when it says nothing (seen before, or a certain label).

        Args:
            candidate: whether the candidate served the request.
            share: the candidate's share of routing when this request was routed, 0 to 1.
        """
        if subject in self.seen or not _informs(share):
            return False
        self.seen.add(subject)
        self.add(candidate=int(candidate), stable=int(not candidate), share=share)
        return True

    def add(self, *, candidate: int = 0, stable: int = 0, share: float) -> None:
        """Count failing subjects of one share at once; the caller has made sure that none counted before."""
        if candidate < 0 or stable < 0:
            raise InvalidInput(field="failing subjects", value=min(candidate, stable), wanted="a count of 0 or more")
        if not _informs(share):
            return
        events = candidate + stable
        self.candidate += candidate
        self.stable += stable
        self.expected += events * share
        norms = self._log_norms
        for index, risk in enumerate(RELATIVE_RISKS):
            norms[index] += events * math.log1p(share * (risk - 1.0))

    @property
    def events(self) -> int:
        return self.candidate + self.stable

    @property
    def log_e(self) -> float:
        """The natural logarithm of E; 0 before the first event."""
        logs = [self.candidate * log for log in _LOG_RISKS]
        logs = [log - norm for log, norm in zip(logs, self._log_norms, strict=True)]
        top = max(logs)
        return top + math.log(math.fsum(math.exp(log - top) for log in logs)) - _LOG_COUNT

    @property
    def mean_share(self) -> float | None:
        """The share of routing averaged over the events, or None before the first."""
        return self.expected / self.events if self.events else None

    @property
    def relative_risk(self) -> float | None:
        """How many times as often the candidate fails, or None while no stable subject failed.

        Observed over expected of the candidate, divided by the same of stable: exact at one share, and the usual
        estimate of a stratified comparison when the share changed (R. Peto et al., British J. Cancer 35 (1977), 1-39).
        """
        if not self.stable or not self.expected:
            return None
        return (self.candidate / self.expected) / (self.stable / (self.events - self.expected))

    def to_state(self) -> dict[str, float]:
        """Everything but `seen`, as plain numbers to store."""
        norms = {f"log_norm@{risk:g}": norm for risk, norm in zip(RELATIVE_RISKS, self._log_norms, strict=True)}
        return {"candidate": self.candidate, "stable": self.stable, "expected": self.expected, **norms}

    @classmethod
    def from_state(cls, state: Mapping[str, float], seen: MutableSet[str] | None = None) -> AdverseProcess:
        """The process as it was stored.

        Raises: InvalidInput when a number is missing or not one.
        """
        process = cls(seen)
        process.candidate = int(number(state, "candidate"))
        process.stable = int(number(state, "stable"))
        process.expected = number(state, "expected")
        process._log_norms = [number(state, f"log_norm@{risk:g}") for risk in RELATIVE_RISKS]
        return process


def _informs(share: float) -> bool:
    if not 0.0 <= share <= 1.0:
        raise InvalidInput(field="share", value=share, wanted="a number from 0 to 1")
    return 0.0 < share < 1.0
