"""What can be wrong with a case."""

from __future__ import annotations

from opsloop.core.errors import Conflict, NotFound, Unavailable


class CaseHeld(Conflict):
    template = "case {case} is claimed by {by}; take it over first, or leave it to them"


class CaseNotClaimed(Conflict):
    template = "case {case} is open; claim it before you answer, so that no two people do"


class CaseIsPast(Conflict):
    template = "case {case} is {state} already"


class QueueFull(Unavailable):
    template = "{waiting} conversations wait for a person already, so no more are taken; try again later"


class NoSuchTicket(NotFound):
    template = "no ticket {ticket!r} with this token"
