"""The port: what carries a request to a model server and its reply back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Protocol


class TransportFailed(Exception):
    """No reply came, or it broke off. The text says how, without the address and without a secret."""


class TooLong(TransportFailed):
    """More came than is taken, and is not read on."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"it is longer than {limit_bytes} bytes")
        self.limit_bytes = limit_bytes


class Reply(Protocol):
    """A reply whose head has come."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """By names in lower case."""
        ...

    async def read(self, limit_bytes: int) -> bytes:
        """The whole body, decompressed. Raises: TransportFailed; TooLong."""
        ...

    def lines(self, limit_bytes: int) -> AsyncIterator[bytes]:
        """The body line by line as it comes, without line ends. Raises: as `read`, of one line that is too long."""
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


async def lines_of(piece: Callable[[], Awaitable[bytes | None]], limit_bytes: int) -> AsyncIterator[bytes]:
    """Bytes as they come, cut into lines. Raises: TooLong when a line does not end.

    Args:
        piece: gives what came next, None at the end.
    """
    rest = bytearray()
    while (came := await piece()) is not None:
        at, end = 0, came.find(b"\n")
        while end >= 0:  # one after the other: of a megabyte of short lines a list would be many
            line = came[at:end]
            if rest:
                line = bytes(rest) + line
                rest.clear()
            yield line[:-1] if line.endswith(b"\r") else line
            at = end + 1
            end = came.find(b"\n", at)
        rest += came[at:] if at else came
        if len(rest) > limit_bytes:
            raise TooLong(limit_bytes)
    if rest:
        yield bytes(rest)
