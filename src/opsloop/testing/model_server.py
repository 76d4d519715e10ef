"""A model server on a free port of this machine, in a thread of this process: what a test starts.

```python
with ModelServer(latency_ms=50) as server:
    client = openai.OpenAI(base_url=server.base_url, api_key="any")
```
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
from uvicorn.server import ServerState

from opsloop.core.clock import Clock, SystemClock
from opsloop.testing.app import App
from opsloop.testing.calls import Call
from opsloop.testing.latency import Latency
from opsloop.testing.script import Rules, Script, read_script
from opsloop.testing.wire_protocol import Protocol

HOST = "127.0.0.1"
STOP_TIMEOUT_S = 10.0
KEEP_ALIVE_S = 60


class ModelServer:
    """A context manager, `with` or `async with`; a test's process and its server may share the machine's loopback only.

    Args:
        script: rules, or the file that holds them.
        latency_ms: how long every answer takes, or two bounds between which it is drawn.
        chunk_ms: pause before each event of a stream after the first.
        seed: with which latencies are drawn.
        api_key: what callers must show; None lets everybody in.
        port: where to listen; 0 is any that is free.

    Raises: InvalidInput when the script is none; OSError when the port is taken.
    """

    def __init__(
        self,
        script: Rules | str | Path = (),
        *,
        latency_ms: Latency = 0.0,
        chunk_ms: float = 0.0,
        seed: int = 0,
        api_key: str | None = None,
        port: int = 0,
        clock: Clock | None = None,
    ) -> None:
        self._app = App(
            _script(script),
            latency_ms=latency_ms,
            chunk_ms=chunk_ms,
            seed=seed,
            api_key=api_key,
            clock=clock or SystemClock(),
        )
        self._wanted_port = port
        self._listener: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self.port = port

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def base_url(self) -> str:
        """What OpenAI's clients call so."""
        return f"{self.url}/v1"

    @property
    def azure_endpoint(self) -> str:
        """What Azure's clients call so; any deployment and any `api-version` will do."""
        return self.url

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which OpenAI's and Azure's clients and Opsloop find this server."""
        key = self._app.api_key or "testing"
        return {
            "OPENAI_BASE_URL": self.base_url,
            "OPENAI_API_KEY": key,
            "AZURE_OPENAI_ENDPOINT": self.azure_endpoint,
            "AZURE_OPENAI_API_KEY": key,
            "OPENAI_API_VERSION": "2024-06-01",
            "OPSLOOP_LLM_BASE_URL": self.base_url,
            "OPSLOOP_LLM_API_KEY": key,
        }

    @property
    def calls(self) -> list[Call]:
        """The calls so far, oldest first; the last hundred thousand."""
        return list(self._app.calls.kept)

    @property
    def max_in_flight(self) -> int:
        """The most calls that were under way at once."""
        return self._app.calls.max_in_flight

    def count(
        self,
        endpoint: str | None = None,
        *,
        model: str | None = None,
        status: int | None = None,
        contains: str | None = None,
    ) -> int:
        """How many calls were like this; what is not named does not matter.

        Args:
            contains: stands in what was sent, as it was written there.
        """
        wanted = None if contains is None else contains.encode()
        return sum(
            endpoint in (None, call.endpoint)
            and model in (None, call.model)
            and status in (None, call.status)
            and (wanted is None or wanted in call.body)
            for call in self.calls
        )

    def answered_more_than_once(self) -> dict[str, int]:
        """Digests of the requests that were answered with 200 again and again, and how often."""
        return self._app.calls.answered_more_than_once()

    def follow(self, script: Rules | str | Path) -> None:
        """Go by these rules from now on. Raises: InvalidInput."""
        self._app.script = _script(script)

    def reset(self) -> None:
        """Forget the calls so far, and that rules were used."""
        self._in_loop(self._app.calls.reset)
        self._in_loop(self._app.script.reset)

    def start(self) -> None:
        """Listen; returns once calls are answered. `with` does this."""
        self._listener = listen(self._wanted_port)
        self.port = self._listener.getsockname()[1]
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="model-server", daemon=True)
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """Close every connection, answered or not. `with` does this."""
        if self._thread is None or self._stop is None:
            return
        self._in_loop(self._stop.set)
        self._thread.join(STOP_TIMEOUT_S)
        self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def _in_loop(self, act: Callable[[], None]) -> None:
        """Do it in the server's thread and wait; here when it does not run."""
        loop, done = self._loop, threading.Event()
        if loop is None or loop.is_closed() or self._thread is None:
            act()
            return

        def do() -> None:
            try:
                act()
            finally:
                done.set()

        loop.call_soon_threadsafe(do)
        done.wait(STOP_TIMEOUT_S)

    def _run(self, ready: threading.Event) -> None:
        assert self._listener is not None
        try:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                self._loop = runner.get_loop()
                self._stop = asyncio.Event()
                runner.run(serve(self._app, self._listener, stop=self._stop, when_ready=ready.set))
        finally:
            ready.set()  # nobody waits for what did not start


async def serve(app: App, listener: socket.socket, *, stop: asyncio.Event, when_ready: Callable[[], None]) -> None:
    """Answer on this socket until told to stop; then close every connection at once."""
    config = uvicorn.Config(
        app, lifespan="off", access_log=False, log_config=None, ws="none", timeout_keep_alive=KEEP_ALIVE_S
    )
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Protocol(config, state, {}, loop), sock=listener, backlog=2048)
    when_ready()
    try:
        await stop.wait()
    finally:
        server.close()
        app.stop()
        for connection in list(state.connections):
            connection.transport.abort()
        if state.tasks:
            await asyncio.wait(state.tasks, timeout=STOP_TIMEOUT_S)


def listen(port: int) -> socket.socket:
    """A listening socket on the loopback. Raises: OSError."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    listener.listen(2048)
    return listener


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    with contextlib.suppress(ImportError):
        import uvloop  # not on Windows

        return uvloop.new_event_loop
    return None


def _script(given: Rules | str | Path) -> Script:
    return Script(read_script(Path(given)) if isinstance(given, str | Path) else given)
