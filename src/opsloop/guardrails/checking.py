"""Try a policy on a text: what would be done, without doing it to anybody."""

from __future__ import annotations

from opsloop.guardrails.models import Action, Checked, Direction
from opsloop.guardrails.policy import Policy
from opsloop.guardrails.screening import Tally, screened


def check(text: str, policy: Policy, direction: Direction) -> Checked:
    """Raises: ScreenBroken."""
    tally = Tally(direction)
    out = screened(text, policy, tally)
    outcome = max((hit.action for hit in tally.hits), key=lambda action: action.rank, default=Action.ALLOW)
    return Checked(outcome, None if outcome.rank >= Action.BLOCK.rank else out, tally.hits)
