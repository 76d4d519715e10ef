"""One connection to a server: a request is written, its reply read as it comes.

Parsed by httptools (llhttp), as the server's own side is. What is not lawful HTTP ends the connection.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import cast

import httptools

from opsloop.llm.transport import TransportFailed

HEAD_BYTES = 32_768
FIELD_BYTES = 8_190
MOST_FIELDS = 128
UNREAD_BYTES = 1_048_576
"""Of a body that comes faster than it is read; then the server has to wait."""
_PARSED = (httptools.HttpParserError, httptools.HttpParserUpgrade)


class Connection(asyncio.Protocol):
    """Carries one exchange at a time: `send`, `head`, then `piece` until it gives None.

    Args:
        timeout_s: longest silence of the server while somebody waits for it.
    """

    __slots__ = (
        *("_buffered", "_error", "_fields", "_has_head", "_head_bytes", "_is_complete", "_is_lawful"),
        *("_is_paused", "_keeps_alive", "_last_s", "_loop", "_parser", "_pieces", "_timeout_s", "_timer", "_transport"),
        *("__weakref__", "_waiter", "headers", "idle_since_s", "is_open", "status"),
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout_s: float) -> None:
        self._loop = loop
        self._timeout_s = timeout_s
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._last_s = 0.0
        self.is_open = False
        self.idle_since_s = 0.0
        self._is_complete = True
        self._is_lawful = True
        self._is_paused = False
        self._reset()

    def _reset(self) -> None:
        self._error: TransportFailed | None = None
        self._pieces: list[bytes] = []
        self._buffered = 0
        self._has_head = False
        self._head_bytes = self._fields = 0
        self._keeps_alive = False
        self.status = 0
        self.headers: dict[str, str] = {}

    # --- for whoever asks --------------------------------------------------------------------------------------

    @property
    def is_reusable(self) -> bool:
        """Whether another request may be sent: the reply was read to its end, and nothing came after it."""
        return self.is_open and self._is_complete and self._keeps_alive and self._is_lawful and not self._pieces

    def send(self, request: bytes) -> None:
        self._reset()
        self._is_complete = False
        self._transport.write(request)

    async def head(self) -> None:
        """Until `status` and `headers` are there. Raises: TransportFailed."""
        while not self._has_head:
            if self._error is not None:
                raise self._error
            await self._wait()

    async def piece(self) -> bytes | None:
        """What came of the body since the last call, once something has; None at its end. Raises: TransportFailed."""
        while not self._pieces:
            if self._error is not None:
                raise self._error
            if self._is_complete:
                return None
            await self._wait()
        pieces, self._pieces, self._buffered = self._pieces, [], 0
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def abort(self) -> None:
        self.is_open = False
        self._transport.abort()

    async def _wait(self) -> None:
        self._last_s = self._loop.time()
        if self._timer is None:  # one timer for many waits: nearly all end long before it
            self._timer = self._loop.call_later(self._timeout_s, self._check)
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _check(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        left_s = self._last_s + self._timeout_s - self._loop.time()
        if left_s > 0.001:
            self._timer = self._loop.call_later(left_s, self._check)
        else:
            self._fail(f"nothing came for {self._timeout_s:g} s")

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, reason: str) -> None:
        self._is_lawful = False
        if self._error is None and not self._is_complete:
            self._error = TransportFailed(reason)
        self._wake()
        self.abort()

    # --- for the loop ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        self._last_s = self._loop.time()
        if self._is_complete:  # nobody asked for anything
            self._fail("it answers twice")
            return
        try:
            self._parser.feed_data(data)
        except _PARSED as error:
            self._fail(f"what it sends is not HTTP: {error}"[:200] if str(error) else "what it sends is not HTTP")
            return
        if not self._has_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._fail(f"the head of its answer is longer than {HEAD_BYTES} bytes")

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._is_complete:
            return
        if self._has_head and exc is None and self._ends_with_connection:
            self._is_complete = True
        elif self._error is None:
            self._error = TransportFailed(_said(exc))
        self._wake()

    @property
    def _ends_with_connection(self) -> bool:
        """Whether the body has no other end (RFC 9112, 6.3)."""
        return "content-length" not in self.headers and "transfer-encoding" not in self.headers

    # --- for the parser ----------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._is_complete:
            self._is_lawful = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_complete or self._has_head:  # a second message; or trailers, which mean nothing here
            return
        self._fields += 1
        if self._fields > MOST_FIELDS or len(name) + len(value) > FIELD_BYTES:
            raise ValueError("too long a head")
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1").strip()
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        if self._is_complete:
            return
        status = self._parser.get_status_code()
        if status < 200:  # more of them may come before the answer
            if status == 101:
                raise ValueError("it switches protocols, which nobody asked for")
            self.headers = {}
            return
        self.status = status
        self._keeps_alive = self._parser.should_keep_alive()
        self._has_head = True
        self._wake()

    def on_body(self, body: bytes) -> None:
        if self._is_complete:
            return
        self._pieces.append(body)
        self._buffered += len(body)
        if self._buffered > UNREAD_BYTES and not self._is_paused:
            self._is_paused = True
            with suppress(RuntimeError):  # it is closing
                self._transport.pause_reading()
        self._wake()

    def on_message_complete(self) -> None:
        if self._has_head:
            self._is_complete = True
            self._wake()


def _said(exc: Exception | None) -> str:
    if exc is None:
        return "the connection was closed before the answer's end"
    return str(exc) or type(exc).__name__
