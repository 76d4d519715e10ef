"""Requests to an ASGI application in this process, from plain code.

The application lives on an event loop in a thread of its own, from the first request's lifespan start to `close`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OutOfTime
from typing import Any

import httpx

Message = MutableMapping[str, Any]
ASGIApp = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
STOP_S = 60.0


class InProcess(httpx.BaseTransport):
    """A transport whose other end is an application in this process.

    Raises, when made: whatever the application raises while it starts.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._transport = httpx.ASGITransport(app)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="opsloop-local", daemon=True)
        self._thread.start()
        self._lifespan = _Lifespan(app)
        try:
            self._run(self._lifespan.start()).result()
        except BaseException:
            self._stop_loop()
            raise

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not isinstance(request.stream, httpx.ByteStream):
            stream = _Outgoing(iter(request.stream))  # type: ignore[arg-type]  # a plain client sends plain streams
            request = httpx.Request(
                request.method, request.url, headers=request.headers, stream=stream, extensions=request.extensions
            )
        answer: Future[httpx.Response] = self._run(self._answer(request))
        try:
            return answer.result(request.extensions.get("timeout", {}).get("read"))
        except OutOfTime as error:
            answer.cancel()
            raise httpx.ReadTimeout("no answer in time", request=request) from error
        except KeyboardInterrupt:
            answer.cancel()
            raise

    def close(self) -> None:
        """Stop the application, as a server would that is told to end."""
        if not self._thread.is_alive():
            return
        try:
            self._run(self._lifespan.stop()).result(STOP_S)
        finally:
            self._stop_loop()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        body = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(body))

    def _run(self, work: Any) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _stop_loop(self) -> None:
        self._run(self._loop.shutdown_default_executor()).result(STOP_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _Outgoing(httpx.AsyncByteStream):
    """A body that plain code sends, piece by piece, to an application on a loop."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (chunk := await asyncio.to_thread(next, self._chunks, None)) is not None:
            yield chunk


class _Lifespan:
    """The application's side that lives as long as it does (ASGI lifespan protocol 2.0)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._in: asyncio.Queue[Message] = asyncio.Queue()
        self._out: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._live())
        await self._step("startup")

    async def stop(self) -> None:
        await self._step("shutdown")

    async def _live(self) -> None:
        await self._app({"type": "lifespan", "asgi": {"version": "3.0"}}, self._in.get, self._out.put)

    async def _step(self, phase: str) -> None:
        """Send one event and wait for its answer, or for the application's own error."""
        assert self._task is not None
        await self._in.put({"type": f"lifespan.{phase}"})
        answer = asyncio.create_task(self._out.get())
        await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            message = answer.result()
            if message["type"].endswith(".failed"):
                raise RuntimeError(f"the application did not {phase}: {message.get('message', '')}")
            return
        answer.cancel()
        await self._task
        raise RuntimeError(f"the application ended before its {phase}")
