"""What guardrails say to a caller: which kind, never which value."""

from __future__ import annotations

from opsloop.core.errors import Conflict, Failed, InvalidInput, TooLarge, Unavailable


class RequestBlocked(InvalidInput):
    template = "the request holds {kinds}, which {endpoint} does not take; leave it out and ask again"


class AnswerBlocked(Failed):
    template = "the answer of {endpoint} was withheld: it holds {kinds}"


class GuardrailFailed(Unavailable):
    template = "a guardrail of {endpoint} could not be applied, so nothing was let through; try again"


class PolicyChanged(Conflict):
    template = "the guardrails of {endpoint} are at version {version}, not {expected}; look at them again, then decide"


class UnknownScreen(InvalidInput):
    """A screen is named that is neither ours nor installed."""


class TextTooLong(TooLarge):
    template = "text: has {size:,} characters; wanted at most {limit:,}: send it in parts"
