"""What the gateway costs a request: a one-node flow behind it, beside a bare ASGI application in the same server.

Run: python benchmarks/gateway_overhead.py [--requests 4000] [--rounds 5] [--connections 32]
Goal: at least 3,000 requests per second on one core, with the records spooled and stored.

Both run in processes of their own under the same settings (uvicorn, httptools, uvloop); the load comes from
this process over keep-alive connections, in rounds that alternate. Requests per second share the machine's cores with
the load, so the figure that counts is the CPU time of the server's process per request.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

from opsloop.core.caller import system
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.flows import package, versions
from opsloop.gateway.app import Gateway
from opsloop.releases import service as releases
from opsloop.server.garbage import spare_collections

DAG = """
inputs:
  question: {type: string, is_chat_input: true}
outputs:
  answer: {type: string, reference: "${answer.output}", is_chat_output: true}
nodes:
- name: answer
  type: python
  source: {type: code, path: answer.py}
  inputs: {question: "${inputs.question}"}
"""
CODE = """
from promptflow.core import tool


@tool
async def answer(question: str) -> str:
    return "yes"
"""
BODY = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "is it?"}], "user": "maria"}).encode()
SERVERS = ("bare ASGI", "gateway")
GOAL_PER_S = 3_000


@dataclass
class Served:
    """A server in a process of its own, and what was measured of it."""

    name: str
    process: subprocess.Popen[str]
    port: int
    per_s: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)

    def cpu_s(self) -> float:
        """User and system time of the process, in seconds (proc(5), fields 14 and 15 of stat)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    options = _options()
    if options.serve:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(options.serve, options.folder))
        return
    with tempfile.TemporaryDirectory() as folder:
        served = [_start(name, Path(folder) / str(number)) for number, name in enumerate(SERVERS)]
        try:
            for round_number in range(options.rounds + 1):
                for each in served:
                    _measure(each, options.requests, options.connections, keep=round_number > 0)
        finally:
            for each in served:
                each.process.terminate()
                each.process.wait(30)
    _print(served)


def _print(served: list[Served]) -> None:
    for each in served:
        print(f"{each.name:>10}: {_median(each.per_s):8,.0f} req/s  {_median(each.cpu_us):8,.1f} µs CPU a request")
    bare, gateway = served
    ratio = _median(gateway.cpu_us) / _median(bare.cpu_us)
    one_core = 1e6 / _median(gateway.cpu_us)
    print(
        f"gateway_overhead: {ratio:.1f} times the CPU of bare ASGI, "
        f"{one_core:,.0f} req/s on one core by CPU time; "
        f"goal >= {GOAL_PER_S:,}: {'met' if one_core >= GOAL_PER_S else 'MISSED'}"
    )


def _median(values: list[float]) -> float:
    return statistics.median(values)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--serve", choices=SERVERS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _start(name: str, folder: Path) -> Served:
    folder.mkdir()
    command = [sys.executable, __file__, "--serve", name, "--folder", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return Served(name, process, int(process.stdout.readline()))


def _measure(served: Served, requests: int, connections: int, *, keep: bool) -> None:
    cpu_s, started = served.cpu_s(), time.perf_counter()
    count = asyncio.run(_load(served.port, requests, connections))
    took_s = time.perf_counter() - started
    time.sleep(0.5)  # the last records on their way to the database belong to these requests
    if keep:
        served.per_s.append(count / took_s)
        served.cpu_us.append((served.cpu_s() - cpu_s) / count * 1e6)


async def _load(port: int, requests: int, connections: int) -> int:
    each = requests // connections
    await asyncio.gather(*(_ask(port, each) for _ in range(connections)))
    return each * connections


async def _ask(port: int, count: int) -> None:
    """One connection, one request after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(BODY)}\r\n\r\n".encode()
    for _ in range(count):
        writer.write(head + BODY)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), answer
        length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
    writer.close()
    await writer.wait_closed()


async def _serve(name: str, folder: Path) -> None:
    gateway = _gateway(folder) if name == "gateway" else None
    config = uvicorn.Config(gateway or _bare, lifespan="off", log_config=None, access_log=False, http="httptools")
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext  # type: ignore[method-assign, assignment]
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, setattr, server, "should_exit", True)
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    if gateway is not None:
        await gateway.start()
    spare_collections()  # as `opsloop up` does
    print(listener.getsockname()[1], flush=True)
    await server.serve(sockets=[listener])
    if gateway is not None:
        await gateway.drain(10)


def _gateway(folder: Path) -> Gateway:
    """A gateway whose endpoint `chat` serves a flow of one node."""
    workspace = open_workspace(CoreSettings(data_dir=folder / "data"))
    flow = folder / "flow"
    flow.mkdir()
    (flow / "flow.dag.yaml").write_text(DAG)
    (flow / "answer.py").write_text(CODE)
    with workspace.writing(system("benchmark")) as uow:
        version = versions.register(uow, "answer", package.archive_of(flow))
        releases.create_endpoint(uow, "chat")
        releases.create_release(uow, "chat", flow=f"{version.name}@{version.version}")
    return Gateway(workspace)


async def _bare(_scope: Scope, receive: Receive, send: Send) -> None:
    """The least an ASGI application can do with the same request."""
    while (await receive()).get("more_body", False):
        pass
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"3")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"yes"})


if __name__ == "__main__":
    main()
