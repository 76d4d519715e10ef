"""What a gateway adds in front of a model server, whole answers and streams: Opsloop beside LiteLLM's proxy.

Run: python benchmarks/gateway.py [--requests 2000] [--rounds 3] [--connections 64] [--alone]
Goals: at least 20 times the requests that LiteLLM's proxy answers on one core, whole and streamed; at most 1 ms added
to the median latency of a whole answer.

The model server is a process that answers OpenAI's protocol with prepared bytes, a stream in 20 pieces 5 ms apart.
Before it stand `opsloop up` with a flow of one LLM node behind an endpoint, with all that it records by default, and
`litellm` with one worker. Load and servers share the machine's cores, so what counts is the CPU time of a server's
process for a request: one core answers a million microseconds divided by that. Rounds alternate; medians are told.
Latency is of one connection, the same request straight to the model server subtracted.
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
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from _peers import environment, kept_environment
from _scripted_flow import project_in

LITELLM = "litellm[proxy]==1.100.0"
TIMES, ADDED_MS = 20, 1.0
PIECES, PACE_S = 20, 0.005
START_S = 180
KINDS = ("whole", "streamed")
LITELLM_CONFIG = """
model_list:
- model_name: scripted
  litellm_params: {{model: openai/scripted, api_base: "http://127.0.0.1:{port}/v1", api_key: none}}
"""
TEXT = "The refund reaches your account within five working days of the return."


@dataclass
class Figures:
    per_s: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)


@dataclass
class Server:
    """A process that answers chat completions, and what was measured of it."""

    name: str
    pid: int
    port: int
    whole: Figures = field(default_factory=Figures)
    streamed: Figures = field(default_factory=Figures)

    def figures(self, kind: str) -> Figures:
        return self.whole if kind == "whole" else self.streamed

    def cpu_s(self) -> float:
        """User and system time of the process and of its children, in seconds (proc(5), fields 14 and 15 of stat)."""
        ticks = 0
        for pid in (self.pid, *_children(self.pid)):
            with suppress(FileNotFoundError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> Iterator[int]:
    with suppress(FileNotFoundError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield int(child)
                yield from _children(int(child))


def main() -> int:
    options = _options()
    if options.model_server:
        asyncio.run(_serve_model())
        return 0
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        model = running.enter_context(_model_server())
        ours = running.enter_context(_opsloop(folder, model.port))
        theirs = None if options.alone else running.enter_context(_litellm(folder, model.port))
        _measure([each for each in (model, ours, theirs) if each is not None], options)
        return _print(model, ours, theirs)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2_000, help="in a round; LiteLLM's proxy gets a tenth")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--alone", action="store_true", help="without LiteLLM's proxy")
    parser.add_argument("--model-server", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(servers: list[Server], options: argparse.Namespace) -> None:
    for round_number in range(options.rounds + 1):  # the first warms up
        for kind in KINDS:
            for each in servers:
                requests = options.requests // 10 if each.name == "LiteLLM" else options.requests
                _load_once(each, kind, requests, options.connections, keep=round_number > 0)


def _load_once(server: Server, kind: str, requests: int, connections: int, *, keep: bool) -> None:
    cpu_s, started = server.cpu_s(), time.perf_counter()
    count, _ = asyncio.run(_load(server.port, kind, requests, connections))
    took_s = time.perf_counter() - started
    time.sleep(0.5)  # the last records on their way to the database belong to these requests
    used_s = server.cpu_s() - cpu_s
    _, latencies = asyncio.run(_load(server.port, kind, min(200, requests // 4), 1))
    if keep:
        figures = server.figures(kind)
        figures.per_s.append(count / took_s)
        figures.cpu_us.append(used_s / count * 1e6)
        figures.p50_ms.append(statistics.median(latencies) * 1000)


async def _load(port: int, kind: str, requests: int, connections: int) -> tuple[int, list[float]]:
    each = max(1, requests // connections)
    latencies: list[float] = []
    await asyncio.gather(*(_ask(port, kind, each, latencies) for _ in range(connections)))
    return each * connections, latencies


async def _ask(port: int, kind: str, count: int, latencies: list[float]) -> None:
    """One connection, one request after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asked = {"model": "scripted", "messages": [{"role": "user", "content": "When is my money back?"}], "user": "maria"}
    body = json.dumps({**asked, "stream": kind == "streamed"}).encode()
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer none\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode()
    for _ in range(count):
        started = time.perf_counter()
        writer.write(head + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), answer + await reader.read(2_000)
        said = await _body(reader, answer.lower())
        latencies.append(time.perf_counter() - started)
        assert b"working days" in said or kind == "streamed", said
    writer.close()
    await writer.wait_closed()


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    if b"transfer-encoding: chunked" not in head:
        length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
        return await reader.readexactly(int(length.partition(b":")[2]))
    pieces = []
    while size := int(await reader.readline(), 16):
        pieces.append((await reader.readexactly(size + 2))[:-2])
    await reader.readline()
    body = b"".join(pieces)
    assert body.rstrip().endswith(b"[DONE]"), body[-500:]
    return body


def _print(model: Server, ours: Server, theirs: Server | None) -> int:
    print(f"{'':>12} {'':>9} {'req/s':>8} {'us CPU':>8} {'one core':>9} {'p50 ms':>8} {'added':>7}")
    for kind in KINDS:
        straight = _median(model.figures(kind).p50_ms)
        for each in (model, ours, theirs):
            if each is not None:
                seen = each.figures(kind)
                cpu_us, p50_ms = _median(seen.cpu_us), _median(seen.p50_ms)
                print(
                    f"{each.name:>12} {kind:>9} {_median(seen.per_s):8,.0f} {cpu_us:8,.0f} {1e6 / cpu_us:9,.0f} "
                    f"{p50_ms:8.2f} {p50_ms - straight:7.2f}"
                )
    added_ms = _median(ours.whole.p50_ms) - _median(model.whole.p50_ms)
    cores = ", ".join(f"{1e6 / _median(ours.figures(kind).cpu_us):,.0f} req/s {kind}" for kind in KINDS)
    said = f"gateway: on one core {cores}, {added_ms:.2f} ms added (goal <= {ADDED_MS:g})"
    if theirs is None:
        print(f"{said}; LiteLLM's proxy was not measured")
        return 0 if added_ms <= ADDED_MS else 1
    times = {kind: _median(theirs.figures(kind).cpu_us) / _median(ours.figures(kind).cpu_us) for kind in KINDS}
    is_met = added_ms <= ADDED_MS and all(each >= TIMES for each in times.values())
    ratios = ", ".join(f"{times[kind]:.0f} times {kind}" for kind in KINDS)
    print(f"{said}; LiteLLM's proxy takes {ratios} the CPU (goal >= {TIMES}): {'met' if is_met else 'MISSED'}")
    return 0 if is_met else 1


def _median(values: list[float]) -> float:
    return statistics.median(values)


@contextmanager
def _running(name: str, command: list[str], port: int, path: str, **settings: str) -> Iterator[Server]:
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, env={**environment(), **settings}, stdout=log, stderr=log)
        try:
            if not _answers(process, port, path):
                log.seek(0)
                raise SystemExit(f"{command[0]} does not answer:\n{log.read()[-3_000:]}")
            yield Server(name, process.pid, port)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(process: subprocess.Popen[bytes], port: int, path: str) -> bool:
    """Whether a server says within its time that it is up."""
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
            if answer.status == 200:
                return True
        time.sleep(0.2)
    return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def _model_server() -> Iterator[Server]:
    process = subprocess.Popen([sys.executable, __file__, "--model-server"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Server("model", process.pid, int(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _opsloop(folder: Path, model_port: int) -> Iterator[Server]:
    project = project_in(folder, endpoint="scripted")
    port = _free_port()
    opsloop = str(Path(sys.executable).with_name("opsloop"))
    command = [opsloop, "up", "--project", str(project), "--port", str(port), "--no-demo"]
    settings = {
        "OPSLOOP_LLM_BASE_URL": f"http://127.0.0.1:{model_port}/v1",
        "OPSLOOP_LLM_MODEL": "scripted",
        "OPSLOOP_LLM_API_KEY": "none",
    }
    with _running("Opsloop", command, port, "/ready", **settings) as server:
        applied = {**environment(), **settings, "OPSLOOP_URL": f"http://127.0.0.1:{port}"}
        subprocess.run([opsloop, "apply"], cwd=project, env=applied, check=True, capture_output=True)
        time.sleep(1.0)
        yield server


@contextmanager
def _litellm(folder: Path, model_port: int) -> Iterator[Server]:
    kept = kept_environment("litellm-proxy", [LITELLM])
    config = folder / "litellm.yaml"
    config.write_text(LITELLM_CONFIG.format(port=model_port))
    port = _free_port()
    command = [str(kept / "bin" / "litellm"), "--config", str(config), "--port", str(port), "--num_workers", "1"]
    settings = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False", "LITELLM_LOG": "ERROR"}
    with _running("LiteLLM", command, port, "/health/liveliness", **settings) as server:
        yield server


class _Model(asyncio.Protocol):
    """Reads a request as far as it must be read, and answers with prepared bytes."""

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            if b'"stream": true' in body or b'"stream":true' in body:
                self._send(0)
            else:
                self._transport.write(_WHOLE)

    def _send(self, place: int) -> None:
        """A piece of the stream, and the next one later, as models make them."""
        if not self._transport.is_closing():
            self._transport.write(_STREAM[place])
            if place + 1 < len(_STREAM):
                asyncio.get_running_loop().call_later(PACE_S, self._send, place + 1)


def _whole_answer() -> bytes:
    message = {"role": "assistant", "content": TEXT}
    body = json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "scripted",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 20, "completion_tokens": 14, "total_tokens": 34},
        }
    ).encode()
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: " + str(len(body)).encode() + b"\r\n\r\n"
    ) + body


def _streamed_answer() -> list[bytes]:
    """What is written at a time: the head and the first piece, then one piece each."""
    told = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted"}
    size = -(-len(TEXT) // PIECES)
    deltas = [
        {"role": "assistant", "content": ""},
        *({"content": TEXT[i : i + size]} for i in range(0, len(TEXT), size)),
    ]
    chunks = [{**told, "choices": [{"index": 0, "delta": each, "finish_reason": None}]} for each in deltas]
    chunks.append({**told, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    usage = {"prompt_tokens": 20, "completion_tokens": 14, "total_tokens": 34}
    chunks.append({**told, "choices": [], "usage": usage})
    events = [b"data: " + json.dumps(each).encode() + b"\n\n" for each in chunks] + [b"data: [DONE]\n\n"]
    first, *others, last = [b"%x\r\n%b\r\n" % (len(each), each) for each in events]
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return [head + first, *others, last + b"0\r\n\r\n"]


_WHOLE, _STREAM = _whole_answer(), _streamed_answer()


async def _serve_model() -> None:
    server = await asyncio.get_running_loop().create_server(_Model, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
