"""What runs in a worker of Ray; a cluster's machines need this version of Opsloop for it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from opsloop._version import __version__
from opsloop.core.errors import OpsloopError
from opsloop.flows.compute.row_server import RowServer
from opsloop.flows.compute.workers import Handed, Job, News
from opsloop.flows.working_folder import at_home


@dataclass(frozen=True, slots=True)
class Opened:
    """How opening went; `problem` is a sentence, since an error may not come through whole."""

    version: str
    problem: str | None = None


class RowActor:
    _server: RowServer

    async def open(self, job: Job) -> Opened:
        os.environ.update(job.environment)  # this process runs nothing else
        try:
            self._server = RowServer(job, at_home)
        except OpsloopError as error:
            return Opened(__version__, str(error))
        self._server.settle()
        return Opened(__version__)

    async def run(self, rows: Sequence[Handed]) -> AsyncIterator[News]:
        async for news in self._server.run(rows):
            yield news
