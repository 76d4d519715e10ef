"""Serve a workspace on a port until somebody says stop; then finish what is under way."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn

from opsloop.core.errors import Conflict, InvalidInput
from opsloop.core.lock import FolderLock
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings, check
from opsloop.server.authentication import is_loopback, refuse_open_door
from opsloop.server.garbage import spare_collections
from opsloop.server.inference.listening import InferenceSettings, over_grpc
from opsloop.server.outward import telling
from opsloop.server.platform import Platform

KEEP_ALIVE_S = 30
# A terminal and a supervisor may both pass on one wish to stop.
TOGETHER_S = 0.3
# The exit code of a command that was interrupted.
INTERRUPTED = 130


class PortInUse(Conflict):
    template = "port {port} on {host} is in use{by}; stop that program, or choose another port with --port"


class AddressUnusable(InvalidInput):
    pass


def serve(
    settings: CoreSettings,
    *,
    file_values: Mapping[str, Any] | None = None,
    when_ready: Callable[[str, Callable[[], bool]], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, then drain.

    A second signal leaves at once, with exit code 130.

    Args:
        when_ready: called in a thread of its own once requests are answered, with the platform's URL and a function
            that says whether the platform is stopping.

    Raises: FolderHeld, PortInUse, OpenToAll, and what opening a workspace raises.
    """
    check(file_values)
    with telling(settings, file_values), FolderLock.take(settings.data_dir) as lock:
        workspace = open_workspace(settings, file_values=file_values)
        try:
            refuse_open_door(workspace, settings.host)
            listener = listen(settings)
            url = url_of(listener)
            platform = Platform(workspace, listens_on_loopback=is_loopback(settings.host))
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(_serve(platform, listener, lock, url, when_ready))
        finally:
            workspace.close()


async def _serve(
    platform: Platform,
    listener: socket.socket,
    lock: FolderLock,
    url: str,
    when_ready: Callable[[str, Callable[[], bool]], None] | None,
) -> None:
    config = uvicorn.Config(
        platform.app,
        lifespan="off",
        access_log=False,
        log_config=None,
        http=platform.http,
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=20,
        server_header=False,
    )
    server = _Server(config)
    _stop_on_signals(server, platform)
    await platform.start()
    spare_collections()
    lock.announce(url)
    if when_ready is not None:
        threading.Thread(
            target=when_ready, args=(url, lambda: server.should_exit), name="when-ready", daemon=True
        ).start()
    try:
        grpc_port = platform.workspace.section(InferenceSettings).grpc_port
        async with over_grpc(platform.app, platform.workspace.settings, grpc_port):
            await server.serve(sockets=[listener])
    finally:
        lock.announce(None)
        await platform.stop()


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: they would end the loop before the platform has drained."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _stop_on_signals(server: uvicorn.Server, platform: Platform) -> None:
    """Drain on the first SIGINT or SIGTERM; leave at once on a later one."""
    workspace = platform.workspace
    drains_since_s: float | None = None

    def stop() -> None:
        nonlocal drains_since_s
        now_s = workspace.clock.monotonic_s()
        if drains_since_s is None:
            drains_since_s = now_s
            server.should_exit = True
            workspace.stopping.set()
        elif now_s - drains_since_s > TOGETHER_S:
            _leave()

    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop)


def _leave() -> None:
    """End without waiting for anybody: what was acknowledged is on disk, as it must be for a process that is killed."""
    with suppress(OSError):  # nobody may be there to read it
        sys.stdout.flush()
        sys.stderr.write("opsloop: stopped at once; the next start goes on where this one was\n")
        sys.stderr.flush()
    os._exit(INTERRUPTED)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # not on Windows
    except ImportError:
        return None
    return uvloop.new_event_loop


def listen(settings: CoreSettings) -> socket.socket:
    """A listening socket, made before anything is printed: a port in use is found out now."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise AddressUnusable(field="host", value=settings.host, wanted="a name or address of this machine") from error
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(port=settings.port, host=settings.host, by="") from error
        if error.errno == errno.EACCES:
            raise AddressUnusable(field="port", value=settings.port, wanted="a port this user may use") from error
        raise AddressUnusable(field="host", value=settings.host, wanted="an address of this machine") from error
    listener.listen(2048)
    return listener


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 (compared, not listened on)
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
