"""The calls a server has seen: how often, what, and how many at once."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec

BODIES_KEPT_BYTES = 64 * 1024 * 1024
CALLS_KEPT = 100_000

_SORTED = msgspec.json.Encoder(order="sorted")


@dataclass(slots=True, eq=False)
class Call:
    """One request to a route that a model answers.

    Args:
        digest: of what was asked, whatever the order of its keys: the same request has the same digest.
        status: what was answered; None while it is under way or when nothing was.
        body: what was sent; empty when bodies kept since came to over 64 MB.
    """

    endpoint: str
    model: str | None = None
    digest: str = ""
    status: int | None = None
    body: bytes = b""

    @property
    def json(self) -> Any:
        """What was sent, decoded. Raises: msgspec.DecodeError."""
        return msgspec.json.decode(self.body)


def digest_of(endpoint: str, model: str | None, body: bytes) -> str:
    """The digest of a request; of the bytes as they came when they are no JSON."""
    try:
        content = _SORTED.encode(msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError):
        content = body
    return blake2b(f"{endpoint} {model or ''} ".encode() + content, digest_size=16).hexdigest()


@dataclass(slots=True)
class Calls:
    """All of them. Written by the server's thread alone; reading from another is safe."""

    kept: deque[Call] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))
    total: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    by_endpoint: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    by_digest: Counter[str] = field(default_factory=Counter)
    answered_by_digest: Counter[str] = field(default_factory=Counter)
    _with_body: deque[Call] = field(default_factory=deque)
    _bytes_kept: int = 0

    def begin(self, endpoint: str) -> Call:
        call = Call(endpoint)
        self.kept.append(call)
        self.total += 1
        self.by_endpoint[endpoint] += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        return call

    def received(self, call: Call, *, model: str | None, body: bytes) -> None:
        call.digest = digest_of(call.endpoint, model, body)
        call.model = model
        call.body = body
        self.by_digest[call.digest] += 1
        self._with_body.append(call)
        self._bytes_kept += len(body)
        while self._bytes_kept > BODIES_KEPT_BYTES or len(self._with_body) > CALLS_KEPT:
            oldest = self._with_body.popleft()
            self._bytes_kept -= len(oldest.body)
            oldest.body = b""

    def end(self, call: Call) -> None:
        self.in_flight -= 1
        self.by_status["none" if call.status is None else str(call.status)] += 1
        if call.status == 200:
            self.answered_by_digest[call.digest] += 1

    def reset(self) -> None:
        """Forget all but those under way, which are not of the past."""
        in_flight = self.in_flight
        fresh = Calls(in_flight=in_flight, max_in_flight=in_flight)
        for name in Calls.__slots__:
            setattr(self, name, getattr(fresh, name))

    def document(self) -> dict[str, Any]:
        """What `GET /_calls` answers."""
        return {
            "total": self.total,
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "by_endpoint": dict(self.by_endpoint),
            "by_status": dict(self.by_status),
            "by_digest": dict(self.by_digest),
            "answered_more_than_once": self.answered_more_than_once(),
        }

    def answered_more_than_once(self) -> dict[str, int]:
        """Digests of requests that were answered with 200 again and again, and how often."""
        return {digest: times for digest, times in list(self.answered_by_digest.items()) if times > 1}
