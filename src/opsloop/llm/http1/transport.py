"""Requests over connections of our own, straight or by way of a proxy of the environment.

What it does is what calls to models need: POST, replies of a length, in chunks or until the end of the connection,
gzip, TLS, connections that are kept. Redirects are not followed: a key would go with them.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary, WeakSet

from opsloop._version import __version__
from opsloop.llm import transport as port
from opsloop.llm.http1.connection import Connection
from opsloop.llm.http1.decoding import ACCEPTED, Decoder
from opsloop.llm.http1.pool import Origin, Pool
from opsloop.llm.http1.tunnel import proxy_at
from opsloop.llm.proxies import proxy_for
from opsloop.llm.transport import Reply, TooLong, TransportFailed

_CLOSE_S = 2.0
_OURS = {
    "accept": "application/json, text/event-stream",
    "accept-encoding": ACCEPTED,
    "content-type": "application/json",
    "user-agent": f"opsloop/{__version__}",
}


@dataclass(frozen=True, slots=True)
class Target:
    """What of an address stays the same for each request there."""

    origin: Origin
    first: str
    host: str
    proxy_authorization: str | None


class Http1Transport:
    """Keeps connections open between calls, those of each event loop apart.

    Args:
        timeout_s: longest silence of a server.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        # A connection belongs to the loop it was opened on; a process may have several loops.
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, _Open] = WeakKeyDictionary()
        _open_ones.add(self)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        target = _target(url, proxy_for(url))
        request = _head(target, headers, len(body)) + body
        pool = await self._pool()
        connection = await pool.take(target.origin)
        try:
            connection.send(request)
            await connection.head()
            return Http1Reply(connection, lambda: pool.release(target.origin, connection))
        except BaseException:
            connection.abort()
            pool.release(target.origin, connection)
            raise

    async def aclose(self) -> None:
        opened = self._pools.pop(asyncio.get_running_loop(), None)
        if opened is not None:
            await opened.until_loop_ends.aclose()

    def close_at_exit(self) -> None:
        """Close the connections of loops that run in other threads until the process ends."""
        for loop, opened in list(self._pools.items()):
            if loop.is_running():

                async def close(pool: Pool = opened.pool) -> None:
                    pool.close()
                    await asyncio.sleep(0)  # transports are closed in the loop's next turn

                with suppress(TimeoutError, RuntimeError):
                    asyncio.run_coroutine_threadsafe(close(), loop).result(_CLOSE_S)

    async def _pool(self) -> Pool:
        loop = asyncio.get_running_loop()
        opened = self._pools.get(loop)
        if opened is None:
            opened = self._pools[loop] = _Open(Pool(self._timeout_s))
            await anext(opened.until_loop_ends)
        return opened.pool


_open_ones: WeakSet[Http1Transport] = WeakSet()


@atexit.register
def _close_all() -> None:
    for transport in list(_open_ones):
        transport.close_at_exit()


class _Open:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.until_loop_ends = _closed_at_end(pool)


async def _closed_at_end(pool: Pool) -> AsyncGenerator[None, None]:
    """Stands open as long as its loop runs: a loop that ends closes its generators, and so the connections."""
    try:
        yield
    finally:
        pool.close()
        await asyncio.sleep(0)  # as in `close_at_exit`


class Http1Reply:
    """Args: done: gives the connection back."""

    __slots__ = ("_connection", "_decoder", "_done", "_is_done", "headers", "status")

    def __init__(self, connection: Connection, done: Callable[[], None]) -> None:
        self.status = connection.status
        self.headers: Mapping[str, str] = connection.headers
        self._connection = connection
        self._done = done
        self._is_done = False
        coding = connection.headers.get("content-encoding")
        self._decoder = None if coding is None or coding == "identity" else Decoder(coding)

    async def read(self, limit_bytes: int) -> bytes:
        announced = self.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > limit_bytes:
            raise TooLong(limit_bytes)
        pieces = []
        left = limit_bytes
        while (piece := await self._piece(left)) is not None:
            left -= len(piece)
            if left < 0:
                raise TooLong(limit_bytes)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def lines(self, limit_bytes: int) -> AsyncIterator[bytes]:
        async def piece() -> bytes | None:
            found = await self._piece(limit_bytes)
            if found is not None and len(found) > limit_bytes:
                raise TooLong(limit_bytes)
            return found

        return port.lines_of(self._piece if self._decoder is None else piece, limit_bytes)

    async def close(self) -> None:
        if not self._is_done:
            self._is_done = True
            self._done()

    async def _piece(self, most_bytes: int = 0) -> bytes | None:
        """Args: most_bytes: of what is packed, no more than one byte over that is unpacked."""
        piece = await self._connection.piece()
        if self._decoder is None:
            return piece
        if piece is None:
            self._decoder.finish()
            return None
        return self._decoder.feed(piece, most_bytes)


@functools.lru_cache(maxsize=1024)
def _target(url: str, proxy_url: str | None) -> Target:
    """Raises: TransportFailed when an address is none."""
    try:
        parts = urlsplit(url)
        is_secure = parts.scheme == "https"
        host, given = parts.hostname, parts.port
    except ValueError as error:
        raise TransportFailed("the address is none") from error
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not host or parts.scheme not in ("http", "https") or not path.isascii() or not path.isprintable() or " " in path:
        raise TransportFailed("the address is none")
    try:
        host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError as error:
        raise TransportFailed("the address is none") from error
    shown = f"[{host}]" if ":" in host else host
    port_number = given or (443 if is_secure else 80)
    named = shown if given in (None, 443 if is_secure else 80) else f"{shown}:{given}"
    proxy = None if proxy_url is None else proxy_at(proxy_url)
    origin = Origin(host, port_number, is_secure, proxy)
    if proxy is None or is_secure:  # TLS goes through a tunnel, of which the request says nothing
        return Target(origin, f"POST {path} HTTP/1.1", named, None)
    return Target(origin, f"POST http://{named}{path} HTTP/1.1", named, proxy.authorization)


def _head(target: Target, headers: Mapping[str, str], size: int) -> bytes:
    """Raises: TransportFailed for a header that would be several."""
    fields = {"host": target.host, **_OURS, **headers, "content-length": str(size)}
    if target.proxy_authorization is not None:
        fields["proxy-authorization"] = target.proxy_authorization
    text = "\r\n".join([target.first, *[f"{name}: {value}" for name, value in fields.items()]])
    if text.count("\n") != len(fields) or text.count("\r") != len(fields):
        raise TransportFailed("a header has a line end in it")
    return f"{text}\r\n\r\n".encode()
