"""HTTP on the wire: what is no HTTP is answered with a problem document, and headers have a limit.

The parser keeps a request's head in memory until it is complete; without a limit one connection could fill it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from opsloop.core.web import problems

HEAD_LIMIT_BYTES = 65_536


class HeadTooLarge(Exception):
    pass


class Protocol(HttpToolsProtocol):
    """uvicorn's own, with a limit on the request line and headers."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._in_head = False
        self._head_bytes = 0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_LIMIT_BYTES and not self.transport.is_closing():
                self.send_400_response("")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        self._head_bytes = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if self._head_bytes > HEAD_LIMIT_BYTES:
            raise HeadTooLarge  # the parser stops, and the base class refuses the request
        super().on_headers_complete()
        self._in_head = False

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be parsed, or has a head over the limit; the rest of the connection is not read."""
        if self._head_bytes > HEAD_LIMIT_BYTES:
            said = f"the request's headers are over the limit of {HEAD_LIMIT_BYTES} bytes; send less"
            document = problems.document_for(431, "headers-too-large", said)
        else:
            document = problems.document_for(400, "no-http", "what came is not an HTTP/1.1 request")
        body = problems.body_of(document)
        head = f"HTTP/1.1 {document['status']} {HTTPStatus(document['status']).phrase}\r\n"
        head += f"content-type: {problems.MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()
