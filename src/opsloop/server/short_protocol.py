"""HTTP on the wire with a short way for requests for predictions, which the loop can answer at once.

A request goes the short way when nothing about it needs the ordinary one: it is alone on its connection, has a length
and comes whole. Then no ASGI scope, task or event is made for it. It may still turn round at its end (`Shortcut.answer`
says no), and is then given to the ordinary way as if it had only just been read.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any
from typing import Protocol as Interface

from opsloop.gateway.shortcut import Shortcut
from opsloop.server.protocol import HEAD_LIMIT_BYTES, Protocol

# Longer bodies are decoded slowly enough that the ordinary way costs nothing beside.
BODY_BYTES = 262_144
# A body that comes later than its head, in a packet of its own, may take so long.
WAIT_S = 1.0
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,100}")
# Headers with a meaning that the ordinary way knows.
_LEFT = frozenset(
    {
        *(b"cookie", b"origin", b"expect", b"transfer-encoding", b"upgrade", b"connection", b"content-encoding"),
        *(b"x-forwarded-for", b"x-forwarded-proto", b"forwarded", b"traceparent", b"prefer"),
    }
)
_KEEPS_ALIVE = b"keep-alive"


class Door(Interface):
    """Who a caller is, as far as that is known without looking anything up."""

    def name_of(self, authorization: bytes | None, host: bytes | None) -> str | None:
        """The caller's name, or None for whoever has to be looked up or refused."""
        ...


class ShortProtocol(Protocol):
    """Args: shortcut, door: of the platform that is served."""

    def __init__(self, *args: Any, shortcut: Shortcut, door: Door, limit_bytes: int, **named: Any) -> None:
        super().__init__(*args, **named)
        self._shortcut = shortcut
        self._door = door
        self._limit_bytes = min(limit_bytes, BODY_BYTES)
        self._asked: str | None = None  # the endpoint of the request that is on the short way
        self._named: str | None = None
        self._api_key = ""
        self._request_id = ""
        self._body = b""
        self._unwritten = 0
        self._waiting: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._asked is not None and self._waiting is None:
            self._waiting = self.loop.call_later(WAIT_S, self._turn_round)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_short()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        if self._unwritten:
            self._shortcut.flush()
        if self._asked is not None:
            self._turn_round()
        super().shutdown()

    def on_headers_complete(self) -> None:
        if not self._begins_short():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._asked is None:
            super().on_body(body)
        else:
            self._body = self._body + body if self._body else body

    def on_message_complete(self) -> None:
        if self._asked is None:
            super().on_message_complete()
            return
        endpoint, body = self._asked, self._body
        named, request_id = self._named, self._request_id
        if self._shortcut.answer(
            endpoint, body, named=named, request_id=request_id, written=self._write, api_key=self._api_key
        ):
            self._end_short()
            self._unwritten += 1
        else:
            self._turn_round()
            super().on_message_complete()

    @property
    def _is_alone(self) -> bool:
        """Whether no request of this connection is on the ordinary way."""
        return (self.cycle is None or self.cycle.response_complete) and not self.pipeline

    def _begins_short(self) -> bool:
        """Whether the request whose head is there goes the short way."""
        if (
            not self._is_alone
            or self.flow.write_paused
            or self._head_bytes > HEAD_LIMIT_BYTES
            or self.parser.get_method() != b"POST"
        ):
            return False
        endpoint = self._shortcut.endpoint(self.url)
        if endpoint is None or self.parser.get_http_version() != "1.1":
            return False
        found = self._known_headers()
        if found is None:
            return False
        caller = self._door.name_of(found.get(b"authorization"), found.get(b"host"))
        if caller is None or self._shortcut.is_limited(endpoint, caller):
            return False
        subject = found.get(b"x-opsloop-subject")
        self._api_key = caller.removeprefix("key:") if caller.startswith("key:") else ""
        self._named = f"user:{subject.decode('latin-1')}" if subject else None
        given = found.get(b"x-request-id")
        is_given = given is not None and _REQUEST_ID.fullmatch(given)
        self._request_id = given.decode() if given is not None and is_given else self._shortcut.request_id()
        self._asked, self._body = endpoint, b""
        self._in_head = False
        return True

    def _known_headers(self) -> Mapping[bytes, bytes] | None:
        """The headers by name, the first of each; None when one of them needs the ordinary way."""
        found: dict[bytes, bytes] = {}
        for name, value in self.headers:
            if name in _LEFT and not (name == b"connection" and value.lower() == _KEEPS_ALIVE):
                return None
            found.setdefault(name, value)
        length = found.get(b"content-length", b"")
        return found if length.isdigit() and int(length) <= self._limit_bytes else None

    def _turn_round(self) -> None:
        """Give the request to the ordinary way, as far as it has come, under the id that it has here.

        Another id could be another subject, which may meet another arm: then an arm whose requests are left to the
        ordinary way would get fewer of them than its share.
        """
        body = self._body
        self._end_short()
        self.headers.insert(0, (b"x-request-id", self._request_id.encode()))
        super().on_headers_complete()
        if body:
            super().on_body(body)

    def _end_short(self) -> None:
        self._asked, self._body = None, b""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _write(self, answer: bytes) -> None:
        self._unwritten -= 1
        if not self.transport.is_closing():
            self.transport.write(_head_of(self.server_state.default_headers) + answer)
        if self._is_alone:
            self.on_response_complete()
        else:  # one behind it is on the ordinary way already, and goes on with those behind itself
            self.server_state.total_requests += 1


class _Head:
    """The status line and the server's own headers, which uvicorn makes anew once a second."""

    def __init__(self) -> None:
        self._of: list[tuple[bytes, bytes]] | None = None
        self._bytes = b""

    def __call__(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        if headers is not self._of:
            lines = [b"%b: %b\r\n" % header for header in headers]
            self._of, self._bytes = headers, b"HTTP/1.1 200 OK\r\n" + b"".join(lines)
        return self._bytes


_head_of = _Head()
