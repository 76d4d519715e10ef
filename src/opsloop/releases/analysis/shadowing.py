"""What pairs show: the same requests, asked of stable, which answered, and of the candidate, whose answer nobody got.

Both arms saw the same request, so that what makes requests hard cancels. Of a kind of trouble only the pairs speak in
which one arm had it and the other had not: with d = candidate's trouble - stable's, in -1, 0, 1, a candidate that is no
worse has E[d | past] <= 0, and the capital of a gambler who stakes a share b of it on d > 0 never grows on average:

    K(b) = (1 + b)^worse  (1 - b)^better,      0 < b < 1

Averaged over fixed shares it is a test martingale that reaches 1/alpha with chance alpha at most, however often one
looks. The same bets on (excess - d) / (1 + excess) rule out that the candidate's trouble exceeds stable's by `excess`
or more; the smallest excess they rule out is the bound. Losses of predictions whose truth is known are bet on as they
are (`opsloop.evaluation.statistics.betting`), less the margin that is tolerated.

Sources: I. Waudby-Smith, A. Ramdas, Estimating means of bounded random variables by betting, JRSS B 86 (2024), 1-27;
Q. McNemar, Note on the sampling error of the difference between correlated proportions, Psychometrika 12 (1947),
153-157 (that only discordant pairs speak).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from opsloop.evaluation.statistics.betting import BETS, PairedBets
from opsloop.releases.analysis.evidence import QUALITY, Arm, Evidence, Kind, Reading, weigh
from opsloop.releases.analysis.stepping import Readiness

_BISECTIONS = 50


@dataclass(slots=True)
class Trouble:
    """The pairs of one kind of trouble: how many had it where."""

    worse: int = 0
    better: int = 0
    both: int = 0
    neither: int = 0

    def count(self, *, candidate: bool, stable: bool) -> None:
        if candidate and stable:
            self.both += 1
        elif candidate:
            self.worse += 1
        elif stable:
            self.better += 1
        else:
            self.neither += 1

    @property
    def pairs(self) -> int:
        return self.worse + self.better + self.both + self.neither

    @property
    def log_e(self) -> float:
        """The evidence that the candidate has it more often; 0 before the first pair that differs."""
        return _mixed([self.worse * math.log1p(bet) + self.better * math.log1p(-bet) for bet in BETS])

    def excess_upper(self, alpha: float) -> float:
        """The largest excess of the candidate's rate that is left possible, at any time with chance 1 - alpha."""
        needed = -math.log(alpha)
        if self._ruled_out(1.0) < needed:
            return 1.0
        low, high = 0.0, 1.0
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            if self._ruled_out(middle) < needed:
                low = middle
            else:
                high = middle
        return high

    def _ruled_out(self, excess: float) -> float:
        """The evidence that the candidate's rate exceeds stable's by less than this."""
        gains = ((excess - 1.0, self.worse), (excess, self.both + self.neither), (excess + 1.0, self.better))
        return _mixed([sum(count * math.log1p(bet * gain / (1.0 + excess)) for gain, count in gains) for bet in BETS])


@dataclass(slots=True)
class Losses:
    """Losses of both arms, 0 to 1, on requests whose truth is known.

    Args:
        margin: how much larger the candidate's may be on average.
    """

    margin: float
    candidate: float = 0.0
    stable: float = 0.0
    worse: PairedBets = field(init=False)
    within: PairedBets = field(init=False)

    def __post_init__(self) -> None:
        self.worse, self.within = PairedBets(1.0 + self.margin), PairedBets(1.0 + self.margin)

    def count(self, *, candidate: float, stable: float) -> None:
        beyond = candidate - stable - self.margin
        self.worse.add(beyond)
        self.within.add(-beyond)
        self.candidate += candidate
        self.stable += stable

    @property
    def pairs(self) -> int:
        return self.worse.pairs

    @property
    def words(self) -> str:
        if not self.pairs:
            return "no prediction of both with a known truth"
        means = f"{self.candidate / self.pairs:.3f} on the candidate and {self.stable / self.pairs:.3f} on stable"
        return f"the mean loss is {means} ({self.pairs:,} labelled requests, {self.margin:g} more is tolerated)"


@dataclass(slots=True)
class Pairs:
    """All that the shadow of one rollout showed."""

    troubles: dict[Kind, Trouble]
    losses: Losses
    count: int = 0
    agreement: float = 0.0
    compared: int = 0

    def agreed(self, share: float) -> None:
        self.agreement += share
        self.compared += 1

    @property
    def mean_agreement(self) -> float | None:
        """The share of rows on which both said the same, of requests that both answered."""
        return self.agreement / self.compared if self.compared else None


@dataclass(frozen=True, slots=True)
class ShadowRule:
    """What must be shown before the candidate gets traffic; see `ShadowPlan`.

    `tolerance` and `alpha` are those of a step: the excess that must be ruled out, and the chance of being wrong.
    """

    min_pairs: int
    tolerance: float
    alpha: float
    min_agreement: float | None = None
    min_labels: int = 0


def evidence(pairs: Pairs, *, alpha: float) -> Evidence:
    """Is the candidate worse? Every kind that is watched has its share of alpha, also before its first event."""
    readings = [_reading(kind, trouble) for kind, trouble in pairs.troubles.items()]
    return weigh([*readings, _quality(pairs.losses)], candidate_subjects=pairs.count, alpha=alpha, unit="request")


def readiness(rule: ShadowRule, pairs: Pairs) -> Readiness:
    """Whether the copies have shown enough for the candidate to get traffic."""
    bounds = {kind: trouble.excess_upper(rule.alpha) for kind, trouble in pairs.troubles.items()}
    kind = max(bounds, key=bounds.__getitem__)
    waits = _waits_for(rule, pairs, kind, bounds[kind])
    seen = f"after {pairs.count:,} copied requests{_agreeing(pairs)}"
    sentence = waits or f"enough evidence: {seen} its {kind.name} rate exceeds stable's by at most {_pct(bounds[kind])}"
    if not waits and pairs.losses.pairs:
        sentence += f"; {pairs.losses.words}"
    return Readiness(not waits, sentence, kind.name, pairs.count, bounds[kind])


def _waits_for(rule: ShadowRule, pairs: Pairs, kind: Kind, bound: float) -> str:
    """What is still to be shown, as a sentence; empty when nothing is."""
    if pairs.count < rule.min_pairs:
        return f"not enough evidence: {pairs.count:,} copied requests, {rule.min_pairs:,} are needed"
    if bound > rule.tolerance:
        excess = f"the candidate's {kind.name} rate may exceed stable's by up to {_pct(bound)}"
        return (
            f"not enough evidence: after {pairs.count:,} copied requests {excess}, {_pct(rule.tolerance)} are tolerated"
        )
    if rule.min_labels and pairs.losses.pairs < rule.min_labels:
        return f"not enough evidence: {pairs.losses.pairs:,} labelled requests, {rule.min_labels:,} are needed"
    if rule.min_labels and pairs.losses.within.log_e < -math.log(rule.alpha):
        return f"not enough evidence that the candidate predicts as well: {pairs.losses.words}"
    agreement = pairs.mean_agreement
    if rule.min_agreement is not None and (agreement is None or agreement < rule.min_agreement):
        return f"it agrees with stable on {agreement or 0.0:.1%} of rows, {rule.min_agreement:.1%} are wanted"
    return ""


def _agreeing(pairs: Pairs) -> str:
    agreement = pairs.mean_agreement
    return "" if agreement is None else f", agreeing on {agreement:.1%} of rows,"


def _reading(kind: Kind, trouble: Trouble) -> Reading:
    candidate, stable = trouble.worse + trouble.both, trouble.better + trouble.both
    claim = (
        f"candidate {kind.verb} where stable does not on {trouble.worse:,} of {trouble.pairs:,} requests, "
        f"stable where the candidate does not on {trouble.better:,}"
    )
    return Reading(kind, trouble.log_e, Arm(trouble.pairs, candidate), Arm(trouble.pairs, stable), claim)


def _quality(losses: Losses) -> Reading:
    return Reading(QUALITY, losses.worse.log_e, Arm(losses.pairs), Arm(losses.pairs), losses.words)


def _pct(share: float) -> str:
    return f"{100 * share:.2g} percentage points"


def _mixed(logs: list[float]) -> float:
    top = max(logs)
    return top + math.log(math.fsum(math.exp(log - top) for log in logs) / len(logs))
