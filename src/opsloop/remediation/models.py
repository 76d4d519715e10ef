"""The nouns of remediation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, NewType

RemediationId = NewType("RemediationId", str)


class Level(IntEnum):
    """How far a repair goes by itself.

    Source: the levels of a human in the loop of LF Edge's AIOps work stream, after arXiv 2507.12472.
    """

    QUESTIONS = 1
    CHECKLIST = 2
    COMMANDS = 3
    SCRIPT = 4
    EXECUTION = 5

    @property
    def acts(self) -> bool:
        """Whether Opsloop itself may act, with an approval or, at level 5, without."""
        return self >= Level.COMMANDS

    @property
    def does(self) -> str:
        """What it gives, for people."""
        return _DOES[self]


_DOES = {
    Level.QUESTIONS: "asks questions",
    Level.CHECKLIST: "gives a checklist",
    Level.COMMANDS: "proposes commands",
    Level.SCRIPT: "writes the whole script",
    Level.EXECUTION: "acts by itself",
}


class State(StrEnum):
    """`proposed` waits for people, `approved` for its turn; the last nine are ends."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    ACTING = "acting"
    CHECKING = "checking"
    UNDOING = "undoing"
    HELPED = "helped"
    NOT_HELPED = "not helped"
    UNDONE = "undone"
    REHEARSED = "rehearsed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    EXPIRED = "expired"
    VOID = "void"

    @property
    def is_over(self) -> bool:
        return self not in (State.PROPOSED, State.APPROVED, State.ACTING, State.CHECKING, State.UNDOING)


SUCCESSES = (State.HELPED,)
FAILURES = (State.NOT_HELPED, State.UNDONE, State.FAILED, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Reach:
    """The blast radius of an action: how much it touches at most."""

    endpoints: int = 0
    resources: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """What an action would do, found out without doing it.

    Args:
        sentence: for people.
        revision: of what it would change, as a text that differs when that does; an approval is for this one.
        changes: what is before and after, a line each.
        holds: why it never goes without a person, a sentence each; empty when it may.
    """

    sentence: str
    revision: str
    changes: tuple[str, ...] = ()
    reach: Reach = field(default_factory=Reach)
    holds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """What an action did. `undo`: what its undo needs to know, as JSON values; None: it has none."""

    sentence: str
    undo: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says of a repair.

    Args:
        verdict: `better`, `worse`, `same`; `few` while what there is shows nothing worse but is too little to be sure;
            `unclear` while nothing can be told.
    """

    check: str
    verdict: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Vote:
    """Somebody's yes or no to what was shown. `digest`: of that."""

    by: str
    is_yes: bool
    reason: str
    digest: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Remediation:
    """A repair that a playbook proposes for an incident, and what became of it.

    Args:
        incident: that it is for; None of a rehearsal.
        target: what it would change, such as `endpoint/chat`.
        level: the most that it may do by itself.
        why_level: why it is that one, a sentence each.
        because, against: what speaks for it and against it.
        questions, checklist, commands, script: what levels 1 to 4 give; empty above the level.
        action: the kind of action; empty when it only asks or advises.
        preview: what that would do, from the dry run; None without an action.
        digest: of action, parameters, revision, evidence and policy: what a yes is given to.
        needed: how many people have to say yes; 0 when it goes without.
        asked_by: who asked for it; `system:remediation` when an incident did.
        expires_at: when its question lapses; it can be asked again.
        is_lapsed: whether it did, also where the clock was set back since.
        findings: what the checks said last.
        outcome: how it ended, as a sentence.
    """

    id: RemediationId
    incident: str | None
    playbook: str
    title: str
    target: str
    endpoint: str
    environment: str
    level: Level
    why_level: tuple[str, ...]
    state: State
    is_rehearsal: bool
    because: tuple[str, ...]
    against: tuple[str, ...]
    questions: tuple[str, ...]
    checklist: tuple[str, ...]
    commands: tuple[str, ...]
    script: str
    action: str
    parameters: dict[str, Any]
    preview: Preview | None
    digest: str
    needed: int
    votes: tuple[Vote, ...]
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    is_lapsed: bool
    acted_at: datetime | None
    acted: str
    can_undo: bool
    findings: tuple[Finding, ...]
    finished_at: datetime | None
    outcome: str

    @property
    def waits(self) -> bool:
        """Whether somebody's yes would make it act."""
        return self.state is State.PROPOSED and bool(self.action) and self.level.acts

    def stands(self, now: datetime) -> str:
        """Its state in a word for people: of what is proposed whether it waits, lapsed, or is advice only."""
        if self.state is not State.PROPOSED:
            return self.state.value
        if not self.waits:
            return "advice"
        return "lapsed" if self.is_lapsed or self.expires_at <= now else "waits for a yes"


@dataclass(frozen=True, slots=True)
class Record:
    """What a playbook achieved in an environment.

    Args:
        since_failure: verified successes since its last failure.
        lower_bound: of its chance of success, the lower end of a one-sided 95 % credible interval, 0 to 1.
        undo_proven_at: when its undo last worked, in a rehearsal or because it had to.
    """

    successes: int = 0
    failures: int = 0
    since_failure: int = 0
    recent_failures: int = 0
    last_failure_at: datetime | None = None
    undo_proven_at: datetime | None = None
    lower_bound: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What a playbook may do here, and why no more.

    Args:
        level: the lower of `ceiling`, which is policy, and `earned`, which its record gives.
        missing: what it lacks for the next level, a sentence each.
        is_production: whether `environment` is held as production, where level 5 is earned outside first.
        outside: verified successes in a row outside of production.
    """

    playbook: str
    title: str
    action: str
    environment: str
    level: Level
    ceiling: Level
    earned: Level
    missing: tuple[str, ...]
    record: Record
    is_production: bool = True
    outside: int = 0


@dataclass(frozen=True, slots=True)
class Halt:
    """Nothing acts while it goes on."""

    began_at: datetime
    began_by: str
    reason: str
    ended_at: datetime | None = None
    ended_by: str | None = None
