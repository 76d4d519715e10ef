"""The one error tree.

    OpsloopError                     the sentence, the facts, and a kind
    ├── InvalidInput       invalid      the caller sent something wrong; names field, value, wanted form
    ├── NotFound           missing      the thing named is not there
    ├── Conflict           conflict     the thing is in a state that does not allow this, or somebody else holds it
    ├── Denied             denied       the caller is known and may not
    ├── Unauthenticated    anonymous    the caller is not known
    ├── TooLarge           too_large    a body or file over its limit
    ├── RateLimited        limited      too many requests for now
    ├── Unavailable        unavailable  something this needs is away; trying later can help
    ├── TimedOut           timed_out    it did not end within its time
    ├── AnswerIsNo         no           the command worked and the answer is no (gate, threshold, audit)
    ├── StillPending       pending      it goes on; the caller stopped waiting
    └── Failed             failed       it was tried and did not work

Slices add classes beside the noun they speak of, each with a `template` and a `kind` from here. An error carries facts;
the sentence says what happened, to which thing, and what to do next. `server/problems.py` turns a kind into a status,
`cli/exits.py` into an exit code; nothing else does.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any, ClassVar

MAX_SHOWN = 80


class Kind(StrEnum):
    """What sort of trouble an error is; the only thing surfaces look at."""

    INVALID = "invalid"
    MISSING = "missing"
    CONFLICT = "conflict"
    DENIED = "denied"
    ANONYMOUS = "anonymous"
    TOO_LARGE = "too_large"
    LIMITED = "limited"
    UNAVAILABLE = "unavailable"
    TIMED_OUT = "timed_out"
    NO = "no"
    PENDING = "pending"
    FAILED = "failed"


def shown(value: object, *, limit: int = MAX_SHOWN) -> str:
    """A value as it may stand in a sentence: on one line, quoted when text, cut at `limit` characters."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


class OpsloopError(Exception):
    """An error with facts and a sentence.

    Subclasses set `template`, formatted with the facts; the facts stay readable as `error.facts["release"]`.
    """

    kind: ClassVar[Kind] = Kind.FAILED
    template: ClassVar[str] = "{message}"

    def __init__(self, message: str | None = None, /, **facts: Any) -> None:
        if message is not None:
            facts = {"message": message, **facts}
        self.facts: dict[str, Any] = facts
        super().__init__(facts["message"] if "message" in facts else self.template.format(**facts))

    @property
    def sentence(self) -> str:
        return str(self)

    @classmethod
    def slug(cls) -> str:
        """The stable name of this error in problem documents, e.g. `gate-failed`."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()


class InvalidInput(OpsloopError):
    """Something the caller sent is wrong.

    Args:
        field: where, as a path the caller would write: `endpoints.support-chat.strategy`.
        value: what was there; shortened before it is shown.
        wanted: the wanted form, as a noun phrase: `a number from 0 to 1`.
    """

    kind = Kind.INVALID

    def __init__(self, message: str | None = None, /, **facts: Any) -> None:
        if message is None and "field" in facts:
            got = f"is {shown(facts['value'])}; " if "value" in facts else ""
            message = f"{facts['field']}: {got}wanted {facts['wanted']}"
        super().__init__(message, **facts)


class NotFound(OpsloopError):
    kind = Kind.MISSING
    template = "no {noun} named {name!r}"


class Conflict(OpsloopError):
    kind = Kind.CONFLICT


class Denied(OpsloopError):
    kind = Kind.DENIED


class Unauthenticated(OpsloopError):
    kind = Kind.ANONYMOUS


class TooLarge(OpsloopError):
    kind = Kind.TOO_LARGE


class RateLimited(OpsloopError):
    kind = Kind.LIMITED


class Unavailable(OpsloopError):
    kind = Kind.UNAVAILABLE


class TimedOut(OpsloopError):
    kind = Kind.TIMED_OUT


class AnswerIsNo(OpsloopError):
    kind = Kind.NO


class StillPending(OpsloopError):
    kind = Kind.PENDING


class Failed(OpsloopError):
    kind = Kind.FAILED


class ExtraNeeded(Failed):
    """A library that comes with an extra is not installed."""

    template = "{what} needs the extra {extra!r}: pip install 'opsloop[{extra}]'"
