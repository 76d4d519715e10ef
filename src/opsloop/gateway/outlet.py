"""Send an answer: whole, or as a stream of events."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import Send

JSON = b"application/json"
EVENTS = b"text/event-stream"
_Header = tuple[bytes, bytes]


class Outlet:
    """Where the answer to one request goes."""

    __slots__ = ("_request_id", "_send", "is_open", "is_writing", "more")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode("latin-1", "replace")
        # Headers that every answer has beside its own.
        self.more: list[_Header] = []
        # Whether the status was sent: from then on an answer cannot become another.
        self.is_open = False
        # Whether a piece is on its way and the caller does not take it.
        self.is_writing = False

    async def whole(
        self, status: int, body: bytes, *, content_type: bytes = JSON, headers: Iterable[_Header] = ()
    ) -> None:
        """The whole answer."""
        self.is_open = True
        start = [
            (b"content-type", content_type),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", self._request_id),
            *self.more,
            *headers,
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": start})
        await self._send({"type": "http.response.body", "body": body})

    async def open_stream(self) -> None:
        self.is_open = True
        start = [
            (b"content-type", EVENTS),
            (b"cache-control", b"no-cache"),
            # Proxies in the manner of nginx would gather the pieces.
            (b"x-accel-buffering", b"no"),
            (b"x-request-id", self._request_id),
            *self.more,
        ]
        await self._send({"type": "http.response.start", "status": 200, "headers": start})

    async def write(self, piece: bytes, *, is_last: bool = False) -> None:
        """A piece of a stream; waits while the caller does not take what was sent before."""
        self.is_writing = True
        await self._send({"type": "http.response.body", "body": piece, "more_body": not is_last})
        self.is_writing = False


def event(data: bytes, *, name: bytes | None = None) -> bytes:
    """A server-sent event of one line of data (WHATWG HTML, 9.2)."""
    return b"data: %b\n\n" % data if name is None else b"event: %b\ndata: %b\n\n" % (name, data)
