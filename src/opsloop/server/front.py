"""What answers requests: the gateway behind the entrance, and beside it the routes of the control plane."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import cast

from starlette.types import ASGIApp

from opsloop.core.workspace import Workspace
from opsloop.gateway.app import Gateway
from opsloop.server.entrance import Entrance
from opsloop.server.short_protocol import ShortProtocol


class Front:
    """Args: behind: the application for paths that are not the gateway's."""

    def __init__(self, workspace: Workspace, behind: ASGIApp, *, listens_on_loopback: bool) -> None:
        self._limit_bytes = workspace.settings.body_limit_bytes
        self.gateway = Gateway(workspace)
        self.app = Entrance(
            workspace, self.gateway, behind, limits=self.gateway.limits, listens_on_loopback=listens_on_loopback
        )

    @property
    def http(self) -> type[asyncio.Protocol]:
        """The protocol of connections: with the gateway's short way for predictions."""
        made = partial(ShortProtocol, shortcut=self.gateway.shortcut, door=self.app.door, limit_bytes=self._limit_bytes)
        return cast(type[asyncio.Protocol], made)  # uvicorn calls it, and does no more with it
