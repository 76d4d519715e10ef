"""Read a request: its headers, and its body within a size and a time."""

from __future__ import annotations

import asyncio

from starlette.types import Receive, Scope

from opsloop.core.errors import InvalidInput
from opsloop.gateway.errors import BodyTooLarge, BodyTooSlow


class CallerGone(Exception):
    """The caller closed the connection: nobody is left to tell anything."""


def header(scope: Scope, name: bytes) -> str | None:
    """A header by its lower-case name; the first when there are several."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found.decode("latin-1")
    return None


async def body_of(scope: Scope, receive: Receive, *, limit: int, timeout_s: float) -> bytes:
    """The whole body.

    Raises: BodyTooLarge, before reading when the length is announced; InvalidInput for a packed body; BodyTooSlow;
        CallerGone.
    """
    encoding = header(scope, b"content-encoding")
    if encoding not in (None, "", "identity"):
        raise InvalidInput(field="content-encoding", value=encoding, wanted="a body as it is, packed by nothing")
    announced = header(scope, b"content-length")
    if announced is not None and announced.isdecimal() and int(announced) > limit:
        raise BodyTooLarge(limit=limit)
    try:
        async with asyncio.timeout(timeout_s):
            return await _read(receive, limit)
    except TimeoutError:
        raise BodyTooSlow(limit_s=timeout_s) from None


async def _read(receive: Receive, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGone()
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise BodyTooLarge(limit=limit)
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces) if len(pieces) > 1 else piece
