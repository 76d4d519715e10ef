"""Connections of one event loop: kept open between calls, to be used again."""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
from collections import deque
from dataclasses import dataclass
from weakref import WeakSet

import aiohappyeyeballs

from opsloop.llm.http1.connection import Connection
from opsloop.llm.http1.tunnel import Proxy, open_tunnel
from opsloop.llm.transport import TransportFailed

CONNECTIONS = 1024
CONNECT_S = 10.0
KEPT_S = 15.0
"""How long a connection is kept that nobody uses: servers close theirs after a while, many after 20 s or more."""
# Until the next address of a host is tried beside the first. Source: RFC 8305, 5, "Connection Attempt Delay".
NEXT_ADDRESS_S = 0.25


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection goes to. Attributes: proxy: by way of which; None: straight there."""

    host: str
    port: int
    is_secure: bool
    proxy: Proxy | None = None

    @property
    def place(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Pool:
    """Args: timeout_s: longest silence of a server."""

    def __init__(self, timeout_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout_s = timeout_s
        self._idle: dict[Origin, deque[Connection]] = {}
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._all: WeakSet[Connection] = WeakSet()
        self._reaper: asyncio.TimerHandle | None = None

    async def take(self, origin: Origin) -> Connection:
        """A connection that nobody else uses; give it back by `release`. Raises: TransportFailed."""
        await self._places.acquire()
        try:
            idle = self._idle.get(origin)
            while idle:
                connection = idle.pop()  # the one used last: the others grow old and go
                if connection.is_reusable:
                    return connection
                connection.abort()
            return await self._connected(origin)
        except BaseException:
            self._places.release()
            raise

    def release(self, origin: Origin, connection: Connection) -> None:
        """Keep it for the next call, or close it where that may not be."""
        self._places.release()
        if not connection.is_reusable:
            connection.abort()
            return
        connection.idle_since_s = self._loop.time()
        self._idle.setdefault(origin, deque()).append(connection)
        if self._reaper is None:
            self._reaper = self._loop.call_later(KEPT_S, self._reap)

    def close(self) -> None:
        if self._reaper is not None:
            self._reaper.cancel()
            self._reaper = None
        self._idle.clear()
        for connection in list(self._all):
            connection.abort()

    async def _connected(self, origin: Origin) -> Connection:
        try:
            async with asyncio.timeout(CONNECT_S):
                connected = await self._reached(origin.proxy or origin)
                try:
                    if origin.proxy is not None and origin.is_secure:
                        await open_tunnel(self._loop, connected, origin.place, origin.proxy)
                    _, connection = await self._loop.create_connection(
                        lambda: Connection(self._loop, self._timeout_s),
                        sock=connected,
                        ssl=_trusting() if origin.is_secure else None,
                        server_hostname=origin.host if origin.is_secure else None,
                    )
                except BaseException:
                    connected.close()
                    raise
        except TimeoutError as error:
            raise TransportFailed(f"no connection within {CONNECT_S:g} s") from error
        except (OSError, UnicodeError) as error:  # the latter: a name that cannot be one
            raise TransportFailed(str(error) or type(error).__name__) from error
        self._all.add(connection)
        return connection

    async def _reached(self, there: Origin | Proxy) -> socket.socket:
        # Names with several addresses, some of which lead nowhere, are common where IPv6 is half set up.
        found = await self._loop.getaddrinfo(
            there.host, there.port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        return await aiohappyeyeballs.start_connection(
            found, happy_eyeballs_delay=NEXT_ADDRESS_S, interleave=1, loop=self._loop
        )

    def _reap(self) -> None:
        """Close what nobody has used for long."""
        self._reaper = None
        old_s = self._loop.time() - KEPT_S + 0.01
        for origin, idle in list(self._idle.items()):
            while idle and (idle[0].idle_since_s <= old_s or not idle[0].is_reusable):
                idle.popleft().abort()
            if not idle:
                del self._idle[origin]
        if self._idle:
            soonest_s = min(idle[0].idle_since_s for idle in self._idle.values()) + KEPT_S
            self._reaper = self._loop.call_later(max(0.1, soonest_s - self._loop.time()), self._reap)


@functools.cache
def _trusting() -> ssl.SSLContext:
    """Trusts whom the system trusts; made once, for reading the certificates takes a while."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
