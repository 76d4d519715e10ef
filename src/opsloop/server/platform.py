"""The whole platform in one process: control plane, gateway, console, jobs, schedules, events."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import cast

from starlette.concurrency import run_in_threadpool

from opsloop.console.made_reports import Tending as ReportsTending
from opsloop.core.events.outbox import Dispatcher
from opsloop.core.jobs.runner import JobRunner
from opsloop.core.workspace import Workspace
from opsloop.gateway.app import Gateway
from opsloop.improvement.samples import jobs as samples
from opsloop.improvement.weeks import jobs as weeks
from opsloop.incidents.anomalies.tending import Tending as AnomaliesTending
from opsloop.incidents.logs import watching as log_watching
from opsloop.incidents.tending import Tending as IncidentsTending
from opsloop.incidents.topology import watching as topology
from opsloop.monitoring.tending import Tending
from opsloop.rag.deletion.tending import Tending as DocumentsTending
from opsloop.releases import satisfaction
from opsloop.server import background as background  # registers what the jobs of this process can be
from opsloop.server.control_plane import control_plane
from opsloop.server.entrance import Entrance
from opsloop.server.short_protocol import ShortProtocol

DRAIN_S = 20.0


class Platform:
    """An ASGI application and the work behind it; `start` before the first request, `stop` after the last."""

    def __init__(self, workspace: Workspace, *, listens_on_loopback: bool = True) -> None:
        self.workspace = workspace
        self.gateway = Gateway(workspace)
        self.app = Entrance(
            workspace,
            self.gateway,
            control_plane(workspace),
            limits=self.gateway.limits,
            traces=self.gateway.traces,
            others=self.gateway.others,
            listens_on_loopback=listens_on_loopback,
        )
        self._events = Dispatcher(workspace)
        self._jobs = JobRunner(workspace)
        self._tending = (
            Tending(workspace, sources=(satisfaction, log_watching, topology, IncidentsTending())),
            DocumentsTending(workspace),
            ReportsTending(workspace),
            AnomaliesTending(workspace),
        )

    @property
    def http(self) -> type[asyncio.Protocol]:
        """The protocol of connections: with the gateway's short way for predictions."""
        limit = self.workspace.settings.body_limit_bytes
        made = partial(ShortProtocol, shortcut=self.gateway.shortcut, door=self.app.door, limit_bytes=limit)
        return cast(type[asyncio.Protocol], made)  # uvicorn calls it, and does no more with it

    async def start(self) -> None:
        await self.gateway.start()
        await run_in_threadpool(weeks.schedule, self.workspace)
        await run_in_threadpool(samples.schedule, self.workspace)
        self._events.start()
        self._jobs.start()
        for each in self._tending:
            each.start()

    async def stop(self) -> None:
        """Finish what is under way, keep the rest for the next start."""
        await self.gateway.drain(DRAIN_S)
        for each in self._tending:
            await run_in_threadpool(each.stop)
        await run_in_threadpool(self._jobs.stop)
        await run_in_threadpool(self._events.stop)
