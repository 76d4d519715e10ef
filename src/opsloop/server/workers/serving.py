"""What a gateway worker does: it serves a workspace's endpoints until it is told to stop, or its parent is gone."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec
import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.types import Message, Receive, Scope, Send

from opsloop._version import __version__
from opsloop.client import local
from opsloop.client import project as projects
from opsloop.core.errors import OpsloopError
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.telemetry import logging
from opsloop.core.workspace import Workspace
from opsloop.feedback.api import router as feedback
from opsloop.gateway.app import Gateway
from opsloop.gateway.errors import NoSuchRoute
from opsloop.guardrails.redaction import log_redactor
from opsloop.monitoring import metrics
from opsloop.monitoring.labels.api import router as labels
from opsloop.rag.api import router as documents
from opsloop.server.authentication import is_loopback, refuse_open_door
from opsloop.server.control_plane import control_plane
from opsloop.server.entrance import Entrance
from opsloop.server.garbage import spare_collections
from opsloop.server.outward import telling
from opsloop.server.serving import KEEP_ALIVE_S, listen, loop_factory, url_of
from opsloop.server.short_protocol import ShortProtocol
from opsloop.server.workers.crew import READY, Crew
from opsloop.server.workers.standing import Standing

DRAIN_S = 20.0
# So long connections are kept that bring no request, for one that is on its way; those that bring one are told.
LINGER_S = 2.0
_LOOK_S = 0.05
_CLOSE = (b"connection", b"close")
ASKED = (documents, feedback, labels)
ASKED_PATHS = re.compile(r"/query|/upload|/feedback|/endpoints/[^/]+/labels")


class NoRouteHere(NoSuchRoute):
    template = "no route {method} {path} here: this is a gateway; `opsloop up` has the console and the API"


def serve_several(settings: CoreSettings, project: projects.Project, *, count: int, ready: Any) -> None:
    """Serve the project's endpoints with `count` processes until SIGINT or SIGTERM.

    Args:
        ready: called with the address once all of them answer.
    Raises: OpenToAll, PortInUse, AddressUnusable, WorkerUnstartable, and what opening a workspace raises.
    """
    logging.configure(level=settings.log_level, form=settings.log_format, redact=log_redactor(project.settings))
    workspace = open_workspace(settings, file_values=project.settings)  # one brings the schema up to date
    try:
        refuse_open_door(workspace, settings.host)
    finally:
        workspace.close()
    words = ("--project", str(project.folder), "--host", settings.host, "--port", str(settings.port))
    with listen(settings) as listener:
        asyncio.run(_run(listener, words, count, lambda: ready(url_of(listener))))


async def _run(listener: socket.socket, words: tuple[str, ...], count: int, ready: Any) -> None:
    await Crew(listener, words, count=count).run(ready)


def serve(
    listener: socket.socket, link: socket.socket, *, place: str, host: str, port: int, project: Path, folder: Path
) -> None:
    """In the process of a worker.

    Args:
        link: to the parent; it hears when this serves, and this hears when the parent is gone.
        folder: shared with the parent.
    """
    found = (
        projects.nearest(project) if (project / projects.FILE).is_file() else projects.Project(project, project.name)
    )
    settings = local.core_settings(found).model_copy(update={"host": host, "port": port})
    with telling(settings, found.settings):
        workspace = open_workspace(settings, file_values=found.settings, place=place)
        try:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(Worker(workspace, Standing(folder)).serve(listener, link))
        finally:
            workspace.close()


class Worker:
    """A gateway with its own loop, spool and watches."""

    def __init__(self, workspace: Workspace, standing: Standing) -> None:
        self._workspace = workspace
        self._gateway = Gateway(workspace)
        self._is_leaving = False
        loopback = is_loopback(workspace.settings.host)
        self._entrance = Entrance(
            workspace,
            self._gateway,
            Pages(workspace, standing),
            limits=self._gateway.limits,
            traces=self._gateway.traces,
            listens_on_loopback=loopback,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._is_leaving:
            await self._entrance(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], _CLOSE]
            await send(message)

        await self._entrance(scope, receive, sending)

    async def serve(self, listener: socket.socket, link: socket.socket) -> None:
        limit = self._workspace.settings.body_limit_bytes
        http: Any = partial(ShortProtocol, shortcut=self._gateway.shortcut, door=self._entrance.door, limit_bytes=limit)
        config = uvicorn.Config(
            self,
            lifespan="off",
            access_log=False,
            log_config=None,
            http=cast(type[asyncio.Protocol], http),
            ws="none",
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=int(DRAIN_S),
            server_header=False,
        )
        server = uvicorn.Server(config)
        # uvicorn would raise the signal again when it has stopped.
        server.capture_signals = nullcontext  # type: ignore[method-assign, assignment]
        loop = asyncio.get_running_loop()
        leaving: set[asyncio.Task[None]] = set()

        def leave() -> None:
            if not leaving:
                leaving.add(loop.create_task(self._leave(server)))

        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, leave)
        link.setblocking(False)

        def parent_gone() -> None:
            loop.remove_reader(link)
            leave()

        loop.add_reader(link, parent_gone)
        await self._gateway.start()
        spare_collections()
        serving = loop.create_task(server.serve(sockets=[listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        link.send(READY)
        try:
            await serving
        finally:
            await self._gateway.drain(DRAIN_S)

    async def _leave(self, server: uvicorn.Server) -> None:
        """Take no more connections, and let those that are there go with their next answer."""
        self._is_leaving = True
        self._gateway.shortcut.is_open = False  # it keeps connections
        self._workspace.stopping.set()
        for each in server.servers:
            each.close()
        until_s = asyncio.get_running_loop().time() + LINGER_S
        while server.server_state.connections and asyncio.get_running_loop().time() < until_s:
            await asyncio.sleep(_LOOK_S)
        server.should_exit = True


class Pages:
    """What a gateway answers beside its endpoints: `/health`, `/ready` and `/metrics`, of all workers, and of the
    control plane what callers ask: documents, feedback, labels."""

    def __init__(self, workspace: Workspace, standing: Standing) -> None:
        self._workspace = workspace
        self._standing = standing
        self._asked = control_plane(workspace, routers=ASKED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        if ASKED_PATHS.fullmatch(path):
            await self._asked(scope, receive, send)
            return
        if method not in ("GET", "HEAD") or path not in ("/health", "/ready", "/metrics"):
            raise NoRouteHere(method=method, path=path)
        if path == "/metrics":
            text = await run_in_threadpool(metrics.render)
            await _answer(send, 200, text, metrics.MEDIA_TYPE)
        elif path == "/health":
            await _answer(send, 200, msgspec.json.encode({"status": "ok", "version": __version__}))
        else:
            await self._ready(send)

    async def _ready(self, send: Send) -> None:
        checks: dict[str, str] = {}
        try:
            await run_in_threadpool(self._workspace.database.check)
            checks["database"] = "ok"
        except OpsloopError as error:
            checks["database"] = error.sentence
        count = self._standing.read()
        checks["workers"] = "ok" if count.serving else "none serves"
        is_able = all(each == "ok" for each in checks.values())
        said = {
            "status": "ready" if is_able else "not ready",
            "checks": checks,
            "workers": {"wanted": count.wanted, "serving": count.serving},
        }
        await _answer(send, 200 if is_able else 503, msgspec.json.encode(said))


async def _answer(send: Send, status: int, body: bytes, media_type: str = "application/json") -> None:
    headers = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
