"""Repairs in words: how one stands, as one sentence, and who may say yes to it."""

from __future__ import annotations

from datetime import datetime

from opsloop.core.caller import Caller, Role
from opsloop.remediation.models import Halt, Remediation, State

LAPSED = "lapsed"


def sentence(found: Remediation, now: datetime) -> str:
    """How it stands, without the state that its badge says."""
    would = found.preview.sentence if found.preview is not None else ""
    state = found.stands(now)
    if state == LAPSED:
        return f"nobody said yes by {found.expires_at:%H:%M} UTC; ask again to see what is true now"
    if state == "advice":
        return f"it does nothing itself: at level {found.level.value} it {found.level.does}"
    if found.waits:
        had = len(_yes(found))
        count = f"; {had} of {found.needed} people said it" if found.needed > 1 else ""
        return f"{would}, once somebody approves by {found.expires_at:%H:%M} UTC{count}"
    if found.state is State.APPROVED:
        who = ", ".join(sorted(_yes(found))) or "its record"
        return f"{would}, when its turn comes; approved by {who}"
    if found.state in (State.ACTING, State.CHECKING):
        return found.acted or would
    return found.outcome or found.acted


def why_not(found: Remediation, caller: Caller | None, halt: Halt | None, now: datetime) -> str:
    """Why this person cannot say yes to it now; empty when they can."""
    if found.stands(now) == LAPSED:
        return "Its question lapsed, so that nobody says yes to what was true long ago."
    if caller is None or not caller.role.includes(Role.OPERATOR):
        return f"Operators decide on repairs; your role is {caller.role.value if caller else 'none'}."
    if halt is not None:
        return "Repairs are halted; resume them first."
    if found.asked_by == caller.name:
        return "You asked for it, so somebody else has to say yes."
    if caller.name in _yes(found):
        return "You said yes already; it needs somebody else's too."
    return ""


def _yes(found: Remediation) -> set[str]:
    """Who said yes to what is shown now."""
    return {each.by for each in found.votes if each.is_yes and each.digest == found.digest}
