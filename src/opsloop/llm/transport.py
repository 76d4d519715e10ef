"""The port: what carries a request to a model server and its reply back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
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


async def lines_of(piece: Callable[[], Awaitable[bytes | None]]) -> AsyncIterator[bytes]:
    """Bytes as they come, cut into lines. Raises: TransportFailed when a line does not end.

    Args:
        piece: gives what came next, None at the end.
    """
    rest = bytearray()
    while (came := await piece()) is not None:
        if b"\n" not in came:
            rest += came
            if len(rest) > LONGEST_ANSWER_BYTES:
                raise TransportFailed("it sends a line without an end")
            continue
        if rest:
            came = bytes(rest) + came
            rest.clear()
        *whole, last = came.split(b"\n")
        for line in whole:
            yield line[:-1] if line.endswith(b"\r") else line
        rest += last
    if rest:
        yield bytes(rest)
