"""Requests over aiohttp, by way of a proxy (`docs/why/decisions/0008-one-lean-http-path.md`).

Import it only where a server is really asked: it takes a tenth of a second to load.
"""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import suppress
from weakref import WeakKeyDictionary, WeakSet

import aiohttp

from opsloop.llm import transport as port
from opsloop.llm.proxies import proxy_for
from opsloop.llm.transport import TransportFailed

CONNECTIONS = 1024
_CONNECT_S = 10.0
_CLOSE_S = 2.0
_TROUBLE = (aiohttp.ClientError, TimeoutError, OSError)


class AiohttpTransport:
    """Keeps connections open between calls, those of each event loop apart.

    Args:
        timeout_s: longest silence of a server.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=timeout_s)
        # A connection belongs to the loop it was opened on; a process may have several loops.
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, _Session] = WeakKeyDictionary()
        _open_ones.add(self)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> AiohttpReply:
        session = await self._session()
        try:
            response = await session.client.post(
                url, headers=headers, data=body, proxy=proxy_for(url), allow_redirects=False
            )
        except _TROUBLE as error:
            raise TransportFailed(_said(error)) from error
        return AiohttpReply(response)

    async def aclose(self) -> None:
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.until_loop_ends.aclose()

    def close_at_exit(self) -> None:
        """Close the connections of loops that run in other threads until the process ends."""
        for loop, session in list(self._sessions.items()):
            if loop.is_running():
                closing = asyncio.run_coroutine_threadsafe(session.client.close(), loop)
                with suppress(TimeoutError, RuntimeError):
                    closing.result(_CLOSE_S)

    async def _session(self) -> _Session:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None:
            session = self._sessions[loop] = _Session(self._timeout)
            await anext(session.until_loop_ends)
        return session


_open_ones: WeakSet[AiohttpTransport] = WeakSet()


@atexit.register
def _close_all() -> None:
    for transport in list(_open_ones):
        transport.close_at_exit()


class _Session:
    def __init__(self, timeout: aiohttp.ClientTimeout) -> None:
        self.client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            timeout=timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"accept": "application/json, text/event-stream", "content-type": "application/json"},
        )
        self.until_loop_ends = _open(self.client)


async def _open(client: aiohttp.ClientSession) -> AsyncGenerator[None, None]:
    """Stands open as long as its loop runs: a loop that ends closes its generators, and so the connections."""
    try:
        yield
    finally:
        await client.close()


class AiohttpReply:
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers  # their look-up ignores case
        self._response = response

    async def read(self) -> bytes:
        body = bytearray()
        while (piece := await self._piece()) is not None:
            body += piece
            if len(body) > port.LONGEST_ANSWER_BYTES:
                raise TransportFailed(f"its answer is longer than {port.LONGEST_ANSWER_BYTES} bytes")
        return bytes(body)

    def lines(self) -> AsyncIterator[bytes]:
        return port.lines_of(self._piece)

    async def close(self) -> None:
        self._response.release() if self._response.content.at_eof() else self._response.close()

    async def _piece(self) -> bytes | None:
        try:
            return await self._response.content.readany() or None
        except _TROUBLE as error:
            raise TransportFailed(_said(error)) from error


def _said(error: BaseException) -> str:
    """What went wrong, without the address: its query may hold a secret."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return str(error.os_error) or type(error.os_error).__name__
    if isinstance(error, aiohttp.ClientResponseError):
        return f"{type(error).__name__}: {error.message}"
    if isinstance(error, aiohttp.InvalidURL):
        return "the address is none"
    return str(error) or type(error).__name__
