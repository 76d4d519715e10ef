"""The gateway in processes of its own, as many as wanted, beside a platform that shares the database.

A replica answers what callers ask: endpoints, documents, feedback, health and metrics. It runs no jobs, no schedules
and no console: that is the platform's, `opsloop up`.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings, check
from opsloop.core.telemetry import logging, tracing
from opsloop.core.workspace import Workspace
from opsloop.feedback.api import router as feedback
from opsloop.guardrails.redaction import log_redactor
from opsloop.monitoring import metrics
from opsloop.monitoring.labels.api import router as labels
from opsloop.rag.api import router as documents
from opsloop.server.authentication import is_loopback, refuse_open_door
from opsloop.server.control_plane import control_plane
from opsloop.server.crew import Crew, Post
from opsloop.server.front import Front
from opsloop.server.health import router as health
from opsloop.server.platform import DRAIN_S
from opsloop.server.serving import answer, listen, loop_factory, url_of

ROUTERS = (health, documents, feedback, labels)


class Replica:
    """As `Platform`, without what only one process of an installation does."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        behind = control_plane(workspace, routers=ROUTERS)
        front = Front(workspace, behind, listens_on_loopback=is_loopback(workspace.settings.host))
        self._gateway = front.gateway
        self.app = front.app
        self.http = front.http

    async def start(self) -> None:
        await self._gateway.start()

    async def stop(self) -> None:
        """Finish what is under way."""
        await self._gateway.drain(DRAIN_S)


def serve(
    settings: CoreSettings,
    *,
    file_values: Mapping[str, Any] | None = None,
    processes: int = 1,
    when_ready: Callable[[str], None] = lambda _url: None,
) -> int:
    """Serve the endpoints in so many processes until SIGINT or SIGTERM, then drain; returns the exit code.

    Raises: PortInUse, OpenToAll, and what opening a workspace raises.
    """
    check(file_values)
    logging.configure(level=settings.log_level, form=settings.log_format, redact=log_redactor(file_values))
    workspace = open_workspace(settings, file_values=file_values)  # once: the schema is current before the first starts
    try:
        refuse_open_door(workspace, settings.host)
    finally:
        workspace.close()
    listener = listen(settings)
    listener.setblocking(False)
    gc.freeze()  # what is loaded now is shared by all processes as long as nobody writes to it
    crew = Crew(
        processes,
        partial(_replica, settings, file_values, listener),
        when_ready=lambda: when_ready(url_of(listener)),
        when_gone=metrics.forget_process,
    )
    try:
        return crew.run()
    finally:
        listener.close()


def _replica(
    settings: CoreSettings, file_values: Mapping[str, Any] | None, listener: socket.socket, post: Post
) -> None:
    """One process of the crew."""
    tracer = tracing.configure(settings.otlp_endpoint)
    workspace = open_workspace(settings, file_values=file_values)
    try:
        replica = Replica(workspace)

        async def run() -> None:
            def alone() -> None:
                asyncio.get_running_loop().remove_reader(post.orphaned)
                os.kill(os.getpid(), signal.SIGTERM)

            asyncio.get_running_loop().add_reader(post.orphaned, alone)
            await answer(replica, listener, when_open=post.ready)

        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(run())
    finally:
        workspace.close()
        if tracer is not None:
            tracer.shutdown()
