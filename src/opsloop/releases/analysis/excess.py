"""How much more often than stable may the candidate fail, at most? An upper bound that may be read at any time.

Take a subject at random routing with share p. The weighted outcome

    z = 1/p if it is the candidate's and adverse,   -1/(1-p) if it is stable's and adverse,   0 otherwise

has the excess of the candidate's adverse rate over stable's as its mean, whatever the common rate is and however it
moves (an outage hits both signs alike). For a supposed excess d the capital of a gambler who bets that the truth is
smaller,

    K(c, d) = product of (1 - c p (z - d)),     0 < c < 1,

never grows on average when the excess is d or more. Averaged over a fixed set of stakes c it is a test martingale that
grows with d; the bound is the smallest d at which it reaches 1/alpha. Being a product over three cases, it needs only
four counts. Without an adverse event the bound is near ln(1/alpha) / (candidate subjects): the rule of three.

A subject's outcome must be final when it is counted: count answered subjects (with request routing: answered
requests). Returning users whose first trouble comes later than their first answer make the bound one for the trouble
that has shown so far; the processes that stop a rollout go on watching them.

Sources: I. Waudby-Smith, A. Ramdas, Estimating means of bounded random variables by betting, JRSS B 86 (2024), 1-27;
D. G. Horvitz, D. J. Thompson, A generalization of sampling without replacement, JASA 47 (1952), 663-685 (weights 1/p).
"""

from __future__ import annotations

import math

from opsloop.core.errors import InvalidInput
from opsloop.releases.analysis.evidence import Arm

STAKES = (0.01, 0.03, 0.1, 0.3, 0.6, 0.95)
"""Mixed with equal weight: small ones for high common rates, the largest for silence."""

_BISECTIONS = 50


def excess_upper(candidate: Arm, stable: Arm, *, share: float, alpha: float) -> float:
    """The largest excess of the candidate's adverse rate over stable's that the counts leave possible.

    Args:
        candidate: subjects served at this share, and how many of them had an adverse event; the same for stable.
        share: the candidate's share of routing while these were counted, the same for all of them.
        alpha: the chance that the bound is ever below the true excess, above 0 to below 1.
    Returns: a rate from 0 (no excess is left possible) to 1 (nothing is excluded).
    """
    _check(candidate, stable, share, alpha)
    needed = -math.log(alpha)
    if not 0.0 < share < 1.0 or _log_capital(candidate, stable, share, 1.0) < needed:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _log_capital(candidate, stable, share, middle) < needed:
            low = middle
        else:
            high = middle
    return high if low > 0.0 else 0.0


def _log_capital(candidate: Arm, stable: Arm, share: float, excess: float) -> float:
    quiet = candidate.subjects + stable.subjects - candidate.adverse - stable.adverse
    logs = [
        candidate.adverse * math.log1p(-stake * (1.0 - share * excess))
        + stable.adverse * math.log1p(stake * (share / (1.0 - share) + share * excess))
        + quiet * math.log1p(stake * share * excess)
        for stake in STAKES
    ]
    top = max(logs)
    return top + math.log(math.fsum(math.exp(log - top) for log in logs) / len(logs))


def _check(candidate: Arm, stable: Arm, share: float, alpha: float) -> None:
    for name, arm in (("candidate", candidate), ("stable", stable)):
        if not 0 <= arm.adverse <= arm.subjects:
            raise InvalidInput(
                field=f"{name} subjects with an adverse event", value=arm.adverse, wanted=f"0 to {arm.subjects}"
            )
    if not 0.0 <= share <= 1.0:
        raise InvalidInput(field="share", value=share, wanted="a number from 0 to 1")
    if not 0.0 < alpha < 1.0:
        raise InvalidInput(field="alpha", value=alpha, wanted="a number above 0 and below 1")
