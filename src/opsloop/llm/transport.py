"""The port: what carries a request to a model server and its reply back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

LONGEST_ANSWER_BYTES = 256_000_000


class TransportFailed(Exception):
    """No reply came, or it broke off. The text says how, without the address and without a secret."""


class Reply(Protocol):
    """A reply whose head has come."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """By names in lower case."""
        ...

    async def read(self) -> bytes:
        """The whole body, decompressed. Raises: TransportFailed, also when it is too long."""
        ...

    def lines(self) -> AsyncIterator[bytes]:
        """The body line by line as it comes, without line ends. Raises: as `read`."""
        ...

    async def close(self) -> None:
        """Be done with it; the connection is kept for the next call when the whole body was read."""
        ...


class Transport(Protocol):
    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Raises: TransportFailed."""
        ...

    async def aclose(self) -> None:
        """Close the connections of the running loop."""
        ...


async def lines_of(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Bytes as they come, cut into lines. Raises: TransportFailed when a line does not end."""
    rest = bytearray()
    async for piece in pieces:
        rest += piece
        if b"\n" not in piece:
            if len(rest) > LONGEST_ANSWER_BYTES:
                raise TransportFailed("it sends a line without an end")
            continue
        *whole, last = rest.split(b"\n")
        rest = bytearray(last)
        for line in whole:
            yield bytes(line.rstrip(b"\r"))
    if rest:
        yield bytes(rest)
