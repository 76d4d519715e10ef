"""A gateway in a process of its own: `serve_gateway.py DATA_DIR` prints its port and serves until SIGTERM.

With `DATA_DIR DATABASE_URL ARTIFACTS_URL` it is a replica: its own folder, the state and artifacts of others.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn

from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.gateway.app import Gateway
from opsloop.server.door import Door
from opsloop.server.short_protocol import ShortProtocol


async def serve(settings: CoreSettings) -> None:
    workspace = open_workspace(settings)
    gateway = Gateway(workspace)
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    door = Door(workspace, listens_on_loopback=True)
    http: Any = partial(ShortProtocol, shortcut=gateway.shortcut, door=door, limit_bytes=1_000_000)
    config = uvicorn.Config(gateway, lifespan="off", log_config=None, access_log=False, http=http)
    server = uvicorn.Server(config)
    # uvicorn would raise the signal again when it has stopped, and the process would end before it has drained.
    server.capture_signals = nullcontext  # type: ignore[method-assign, assignment]
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, setattr, server, "should_exit", True)
    await gateway.start()
    print(listener.getsockname()[1], flush=True)
    await server.serve(sockets=[listener])
    await gateway.drain(20)
    workspace.close()


if __name__ == "__main__":
    folder, database, artifacts = (*sys.argv[1:], None, None)[:3]
    asyncio.run(serve(CoreSettings(data_dir=Path(folder or ""), database_url=database, artifacts_url=artifacts)))
