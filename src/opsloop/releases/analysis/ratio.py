"""Did as many users meet the candidate as routing was to send there? A test that may be looked at after every user.

A comparison whose arms got other shares than were drawn is not to be believed: something loses or moves users of one
arm, and who is lost is seldom a random choice. Against the drawn share p the counts a of the candidate and b of stable
have the Bayes factor of a Beta prior that is centred on p,

    B(k p + a, k (1 - p) + b) / B(k p, k (1 - p)) / (p^a (1 - p)^b),

a test martingale when the share is p: it ever reaches 1/alpha with chance alpha at most.

Source: M. Lindon, A. Malek, Anytime-valid inference for multinomial count data, NeurIPS 35 (2022).
"""

from __future__ import annotations

import math

from opsloop.core.errors import InvalidInput

CONCENTRATION = 1_000.0
"""How near to the drawn share a mismatch is expected: about one and a half percentage points at a share of one half."""


def log_mismatch(candidate: int, stable: int, *, share: float) -> float:
    """The natural logarithm of the evidence that users are not shared out as drawn.

    Args:
        candidate: users that the candidate served; stable likewise.
        share: of users that routing draws for the candidate, above 0 and below 1.
    """
    if not 0.0 < share < 1.0:
        raise InvalidInput(field="share", value=share, wanted="a number above 0 and below 1")
    a, b = CONCENTRATION * share, CONCENTRATION * (1.0 - share)
    drawn = candidate * math.log(share) + stable * math.log1p(-share)
    return _log_beta(a + candidate, b + stable) - _log_beta(a, b) - drawn


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
