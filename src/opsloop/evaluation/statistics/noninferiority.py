"""Is an estimate on the right side of a boundary: shown, refuted, or not decided by these rows?

Two one-sided tests at level alpha, one for each side (the logic of D. J. Schuirmann, J. Pharmacokinetics and
Biopharmaceutics 15 (1987), 657-680, and of ICH guideline E9, section 3.3.2, where non-inferiority is shown when the
bound of the interval clears the margin). Not being able to show a difference shows nothing; it is inconclusive.
"""

from __future__ import annotations

from dataclasses import dataclass

from opsloop.evaluation.statistics.estimates import Estimate
from opsloop.evaluation.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Sides:
    """The one-sided p-values against a boundary: small `p_met` shows the right side, small `p_violated` the wrong."""

    p_met: float
    p_violated: float


def sides(estimate: Estimate, boundary: float, *, wants_above: bool) -> Sides:
    """Test both sides of a boundary."""
    above, below = estimate.p_at_most(boundary), estimate.p_at_least(boundary)
    return Sides(above, below) if wants_above else Sides(below, above)


def verdict_of(tested: Sides, alpha: float) -> Verdict:
    """Pass when the right side is shown at level alpha, fail when the wrong side is, else inconclusive."""
    if tested.p_violated <= alpha:
        return Verdict.FAIL
    return Verdict.PASS if tested.p_met <= alpha else Verdict.INCONCLUSIVE
