"""A server's problem documents as errors of ours again, and what goes wrong on the way to a server.

ServerProblem                  what a server said; also an instance of the kind's own class,
                               so `except NotFound` works on both sides of the wire
ServerUnreachable unavailable  nobody answers there
NotOpsloop        failed       somebody answers who is not an Opsloop server
"""

from __future__ import annotations

from typing import Any

from opsloop.core.errors import (
    AnswerIsNo,
    Conflict,
    Denied,
    Failed,
    InvalidInput,
    Kind,
    NotFound,
    OpsloopError,
    RateLimited,
    StillPending,
    TimedOut,
    TooLarge,
    Unauthenticated,
    Unavailable,
)


class ServerProblem(OpsloopError):
    """What a server answered instead of a result.

    `status` is the HTTP status, `problem` the stable name such as `gate-not-met`, `request_id` finds the request in the
    server's log. The document's other members are among the facts.
    """

    def __init__(self, sentence: str, /, **facts: Any) -> None:
        super().__init__(sentence, **facts)

    @property
    def status(self) -> int:
        return int(self.facts["status"])

    @property
    def problem(self) -> str:
        return str(self.facts["problem"])

    @property
    def request_id(self) -> str | None:
        return self.facts.get("request_id")


class ServerUnreachable(Unavailable):
    template = "{where} does not answer ({reason}); start it with `opsloop up`, or set OPSLOOP_URL to where it runs"


class AnswerOverdue(ServerUnreachable):
    template = "{where} did not answer within {timeout_s:g} s; try again, or raise OPSLOOP_CLIENT_TIMEOUT_S"


class NotOpsloop(Failed):
    template = "{where} answered {status} with something that is not Opsloop's; check OPSLOOP_URL"


_KINDS: tuple[type[OpsloopError], ...] = (
    InvalidInput,
    NotFound,
    Conflict,
    Denied,
    Unauthenticated,
    TooLarge,
    RateLimited,
    Unavailable,
    TimedOut,
    AnswerIsNo,
    StillPending,
    Failed,
)
_CLASSES: dict[Kind, type[ServerProblem]] = {
    base.kind: type(f"Server{base.__name__}", (ServerProblem, base), {"__doc__": base.__doc__}) for base in _KINDS
}
# For answers without a `kind` of ours: those of the framework and of proxies in between.
_BY_STATUS = {
    400: Kind.INVALID,
    401: Kind.ANONYMOUS,
    403: Kind.DENIED,
    404: Kind.MISSING,
    405: Kind.MISSING,
    409: Kind.CONFLICT,
    413: Kind.TOO_LARGE,
    422: Kind.INVALID,
    429: Kind.LIMITED,
    502: Kind.UNAVAILABLE,
    503: Kind.UNAVAILABLE,
    504: Kind.TIMED_OUT,
}


def from_document(document: dict[str, Any], *, status: int) -> ServerProblem:
    """The error that a problem document (RFC 9457) stands for."""
    kind = _kind(document.get("kind"), status)
    sentence = str(document.get("detail") or document.get("title") or f"the server answered {status}")
    problem = str(document.get("type", "about:blank")).rpartition(":")[2]
    facts = {key: value for key, value in document.items() if key not in ("detail", "title", "type", "kind", "message")}
    return _CLASSES[kind](sentence, **{**facts, "status": status, "problem": problem})


def _kind(named: object, status: int) -> Kind:
    try:
        return Kind(str(named))
    except ValueError:
        return _BY_STATUS.get(status, Kind.INVALID if status < 500 else Kind.FAILED)
