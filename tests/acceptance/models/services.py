"""Both ways to serve a model as real processes, with the same model behind them: `opsloop serve` and `opsloop up`."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from opsloop.core.caller import Caller, Role
from opsloop.core.opening import open_workspace
from opsloop.core.settings import CoreSettings
from opsloop.models import bundle as bundles
from opsloop.models import service as models
from opsloop.releases import service as releases
from tests.acceptance.up import OPSLOOP, Up, environment
from tests.unit.models.made import iris_candidate

BY = Caller("test:operator", Role.ADMIN)
NAME = "iris"
LONG_S = 120


@dataclass(frozen=True)
class Service:
    http: httpx.Client
    grpc_port: int


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


@contextmanager
def running(kind: str, folder: Path, **variables: str) -> Iterator[Service]:
    """A service of the kind `serve` or `up`, with a model of flowers; it must end well at the end.

    Args:
        variables: of its environment.
    """
    port, grpc_port = free_port(), free_port()
    variables = {"OPSLOOP_GRPC_PORT": str(grpc_port), "NO_PROXY": "127.0.0.1", **variables}
    started = _lone if kind == "serve" else _platform
    with (
        started(folder / kind, port, variables),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=LONG_S, trust_env=False) as http,
    ):
        yield Service(http, grpc_port)


@contextmanager
def _lone(folder: Path, port: int, variables: dict[str, str]) -> Iterator[None]:
    bundles.write(iris_candidate(), folder / NAME)
    with (folder / "out").open("w") as out, (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [OPSLOOP, "serve", "--port", str(port)],
            stdout=out,
            stderr=log,
            cwd=folder,
            env=environment(MODEL_PATH=str(folder / NAME), **variables),
        )
        try:
            _wait(process, port, folder / "log")
            yield
            assert process.poll() is None, (folder / "log").read_text()
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(LONG_S)
    assert code == 0
    assert "Traceback" not in (folder / "log").read_text()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    pause = threading.Event()
    for _ in range(int(LONG_S / 0.1)):
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        pause.wait(0.1)
    raise AssertionError(f"it does not answer: {log.read_text()}")


@contextmanager
def _platform(folder: Path, port: int, variables: dict[str, str]) -> Iterator[None]:
    folder.mkdir()
    (folder / "opsloop.yaml").write_text("project: flowers\n")
    workspace = open_workspace(CoreSettings(data_dir=folder / ".opsloop"))
    with workspace.writing(BY) as uow:
        version = models.register(uow, NAME, iris_candidate())
    with workspace.writing(BY) as uow:
        releases.create_endpoint(uow, NAME)
        releases.create_release(uow, NAME, model=version.ref, strategy="blue-green")
    workspace.close()
    platform = Up(folder, port, "--no-demo", **variables)
    try:
        platform.ready()
        yield
        assert platform.stop() == 0, platform.said
        assert "Traceback" not in platform.said
    finally:
        if platform.process.poll() is None:
            platform.kill()


class Receiver(ThreadingHTTPServer):
    """Takes webhooks, after so many answers of 500 to each delivery."""

    daemon_threads = True

    def __init__(self, errors: int) -> None:
        self.errors = errors
        self.came: dict[str, list[tuple[dict[str, str], bytes]]] = {}
        """Requests by delivery."""
        self._news = threading.Condition()
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/drift"

    def take(self, headers: dict[str, str], body: bytes) -> int:
        with self._news:
            tries = self.came.setdefault(headers["X-Opsloop-Delivery"], [])
            tries.append((headers, body))
            self._news.notify_all()
            return 500 if len(tries) <= self.errors else 200

    def wait_for(self, deliveries: int) -> None:
        """Until so many were taken."""

        def are_taken() -> bool:
            return sum(len(tries) > self.errors for tries in self.came.values()) >= deliveries

        with self._news:
            assert self._news.wait_for(are_taken, LONG_S), self.came

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver = self.server
        assert isinstance(receiver, Receiver)
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(receiver.take(dict(self.headers.items()), body))
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...
