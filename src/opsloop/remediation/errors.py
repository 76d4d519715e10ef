"""What can be wrong with what is asked of a remediation."""

from __future__ import annotations

from opsloop.core.errors import Conflict, Denied, Failed


class NotWaiting(Conflict):
    template = "remediation {remediation} is {state}; there is nothing to decide"


class OnlyAdvice(Conflict):
    template = (
        "remediation {remediation} is at level {level} and does nothing itself; do what it lists, or let an admin "
        "raise the setting remediation_levels for {playbook}"
    )


class QuestionLapsed(Conflict):
    template = (
        "the question of remediation {remediation} lapsed at {at}; `opsloop remediation renew {remediation}` asks it "
        "again with what is true now"
    )


class AnotherShown(Conflict):
    template = "remediation {remediation} is not what was shown (digest {digest}…); look at it again, then decide"


class NotTheSamePerson(Denied):
    template = "{caller} {did} remediation {remediation}; somebody else has to say yes"


class NothingToUndo(Conflict):
    template = "remediation {remediation} is {state} and {why}"


class CannotRenew(Conflict):
    template = "remediation {remediation} is {state}; only one that is proposed, lapsed or void is asked again"


class Halted(Conflict):
    template = "repairs are halted by {by} since {at}: {reason}; `opsloop remediation resume` ends that"


class NotHalted(Conflict):
    template = "repairs are not halted; there is nothing to resume"


class HaltedAlready(Conflict):
    template = "repairs are halted already, by {by}: {reason}"


class ActionFailed(Failed):
    """An action that was tried and did not work; nothing was changed unless the sentence says so."""

    template = "{action}: {reason}"
