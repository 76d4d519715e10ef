"""What goes over the wire for one request: the answer, or the fault that a rule asks for instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Protocol

from opsloop.testing import wire
from opsloop.testing.said import Said
from opsloop.testing.script import DateIn, Rule
from opsloop.testing.wire import Asker

Headers = list[tuple[bytes, bytes]]
JSON: Headers = [(b"content-type", b"application/json")]
EVENTS: Headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]
HTML: Headers = [(b"content-type", b"text/html; charset=utf-8")]

_HTML_BODY = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"
_MESSAGES = {
    401: "Incorrect API key provided.",
    404: "The model does not exist or you do not have access to it.",
    408: "Request timeout.",
    429: "Rate limit reached for requests; try again later.",
    500: "The server had an error while processing your request.",
    503: "The engine is currently overloaded, please try again later.",
}
_CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


class Asked(Protocol):
    """A request that a model answers, read."""

    model: str | None
    needs_model: bool
    streams: bool

    @property
    def texts(self) -> Sequence[str]: ...

    def body(self, asker: Asker, scripted: Said | None) -> bytes:
        """Raises: InvalidInput when it asks for what cannot be made."""
        ...

    def events(self, asker: Asker, scripted: Said | None) -> list[bytes]:
        """Raises: InvalidInput when it asks for what cannot be made."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in parts.

    Args:
        breaks_after: how many parts go out before the connection closes; None when all do.
        length: what `content-length` says; None leaves the end open, as for events.
        chunk_s: pause before each part after the first.
    """

    status: int
    headers: Headers
    parts: Sequence[bytes]
    length: int | None = None
    breaks_after: int | None = None
    chunk_s: float = 0.0
    never: bool = False


def whole(status: int, body: bytes, headers: Headers = JSON) -> Reply:
    return Reply(status, headers, (body,), len(body))


def reply_of(asked: Asked, asker: Asker, rule: Rule | None, *, now: datetime, chunk_s: float) -> Reply:
    """Raises: InvalidInput when the request asks for what cannot be made."""
    if rule is None:
        return _answered(asked, asker, None, chunk_s)
    if rule.never:
        return Reply(200, [], (), never=True)
    if rule.disconnect == "before":
        return Reply(200, [], (), breaks_after=0)
    reply = _faulty(rule, now) or _answered(
        asked, asker, rule.said, chunk_s if rule.chunk_ms is None else rule.chunk_ms / 1000
    )
    return _broken(reply, rule)


def _answered(asked: Asked, asker: Asker, said: Said | None, chunk_s: float) -> Reply:
    if not asked.streams:
        return whole(200, asked.body(asker, said))
    return Reply(200, EVENTS, asked.events(asker, said), chunk_s=chunk_s)


def _faulty(rule: Rule, now: datetime) -> Reply | None:
    if rule.status is not None:
        message = rule.message or _MESSAGES.get(rule.status, f"This is a scripted error with status {rule.status}.")
        body = wire.error(rule.status, message, code=rule.code or _CODES.get(rule.status))
        return whole(rule.status, body, [*JSON, *_retry_after(rule, now)])
    match rule.garbage:
        case "json":
            return whole(200, b'{"id": "chatcmpl-0", "choices": [{"message": {"role": "assistant", "con')
        case "html":
            return whole(200, _HTML_BODY, HTML)
        case "empty":
            return whole(200, b"")
        case "bytes":
            return whole(200, b'{"id": "\xff\xfe", "choices": "\x80"}')
        case "null":
            return whole(200, b"null")
    return None


def _retry_after(rule: Rule, now: datetime) -> Headers:
    match rule.retry_after:
        case None:
            return []
        case DateIn(date_in_s=seconds):
            text = format_datetime(now + timedelta(seconds=seconds), usegmt=True)
        case str() as text:
            pass
        case seconds:
            text = f"{seconds:g}"
    return [(b"retry-after", text.encode("latin-1", "replace"))]


def _broken(reply: Reply, rule: Rule) -> Reply:
    if rule.truncate_stream is not None and reply.length is None:
        return Reply(200, reply.headers, reply.parts, breaks_after=rule.truncate_stream, chunk_s=reply.chunk_s)
    if rule.disconnect and reply.length is not None:
        half = b"".join(reply.parts)[: max(1, reply.length // 2)]
        return Reply(reply.status, reply.headers, (half,), reply.length, breaks_after=1)
    if rule.disconnect:
        return Reply(200, reply.headers, reply.parts, breaks_after=len(reply.parts) // 2, chunk_s=reply.chunk_s)
    return reply
