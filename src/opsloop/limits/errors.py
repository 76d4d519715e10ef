"""What is said to whoever has used what it may."""

from __future__ import annotations

from opsloop.core.errors import Conflict, RateLimited


class RateReached(RateLimited):
    """Facts: `retry_after_s`, when some of it is free again; `meter`, what was reached."""

    template = "{subject} may use {limit} {what} and has; try again in {retry_after_s} s"


class QuotaSpent(RateLimited):
    """Facts: as `RateReached`. Trying again is of no use before the budget starts anew."""

    template = (
        "the budget of {subject}, {limit} a {period}, does not reach: {left} is left and this can cost up to {needed}; "
        "it starts anew in {retry_after_s} s, or raise it with `opsloop token limit`"
    )


class PriceMissing(Conflict):
    template = (
        "{subject} has a budget of money, and model {model!r} has no price to count against it; "
        "give it one (0 if it is free) in the file that OPSLOOP_LLM_PRICES names"
    )
