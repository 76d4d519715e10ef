"""Local mode: the platform in this process for one command, without a port."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.types import Receive, Scope, Send

from opsloop.core import settings
from opsloop.core.errors import Unavailable
from opsloop.core.lock import FolderLock
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.core.telemetry import logging
from opsloop.guardrails.redaction import log_redactor
from opsloop.server.platform import Platform


class LocalPlatform:
    """An ASGI application with a lifespan: the data folder is held from startup to shutdown.

    Jobs and events run as they do in `opsloop up`; a command that leaves a job unfinished leaves it to the next start.
    """

    def __init__(self, settings: CoreSettings, file_values: Mapping[str, Any] | None = None) -> None:
        self._settings = settings
        self._file_values = file_values
        self._platform: Platform | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if self._platform is None:
            raise Unavailable("the local platform is not started")
        await self._platform.app(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        settings.check(self._file_values)
        logging.configure(level="warning", form=self._settings.log_format, redact=log_redactor(self._file_values))
        with FolderLock.take(self._settings.data_dir):
            workspace = open_workspace(self._settings, file_values=self._file_values)
            self._platform = Platform(workspace)
            await self._platform.start()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self._platform.stop()
            workspace.close()
            self._platform = None
        await send({"type": "lifespan.shutdown.complete"})
