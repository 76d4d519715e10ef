"""Collectors that want certificates and keys, and collectors that take only a part of what they are sent."""

from __future__ import annotations

import gzip
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from structlog.testing import capture_logs

from opsloop.core.errors import InvalidInput
from opsloop.core.settings import read
from opsloop.core.telemetry.otlp import logs
from opsloop.core.telemetry.otlp.destination import Destination, destination
from opsloop.core.telemetry.otlp.logs import Line
from opsloop.core.telemetry.otlp.sender import Sender
from opsloop.core.telemetry.otlp.settings import OtlpSettings, Signal
from tests.certificates import self_signed

HERE = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
LINE = Line(1, "info", "asked", {}, None)


class Collector(ThreadingHTTPServer):
    """Takes log lines over TLS; whoever asks must show the client's certificate, where one is wanted."""

    daemon_threads = True

    def __init__(self, certificate: Path, key: Path, client: Path | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        if client is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.events: list[str] = []
        self.keys: list[str | None] = []
        self.answer = ExportLogsServiceResponse()
        self.url = f"https://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A handshake that fails is what some tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = gzip.decompress(self.rfile.read(int(self.headers["content-length"])))
        [of_resource] = ExportLogsServiceRequest.FromString(body).resource_logs
        self.server.events += [each.body.string_value for each in of_resource.scope_logs[0].log_records]
        self.server.keys.append(self.headers.get("authorization"))
        answer = self.server.answer.SerializeToString()
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Not on the terminal."""


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    found = {}
    for owner in ("server", "client"):
        (tmp_path / owner).mkdir()
        found[f"{owner}_key"], found[owner] = self_signed(tmp_path / owner, HERE)
    return found


@pytest.fixture
def collector(files: dict[str, Path]) -> Iterator[Collector]:
    with Collector(files["server"], files["server_key"], files["client"]) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def told(monkeypatch: pytest.MonkeyPatch, **values: object) -> Destination:
    """Where log lines go as the environment says it."""
    for name, value in values.items():
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name}", str(value))
    found = destination(read(OtlpSettings), Signal.LOGS)
    assert found is not None
    return found


def sent(to: Destination, count: int = 1) -> list[int]:
    """Send lines; what was lost."""
    lost: list[int] = []
    outgoing: Sender[Line] = Sender(to, logs.message, lost.append, delay_s=0.0)
    outgoing.offer([LINE] * count)
    outgoing.start()
    outgoing.stop()
    return lost


def test_a_collector_that_wants_a_certificate_is_shown_it_and_its_own_is_checked(
    collector: Collector, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    to = told(
        monkeypatch,
        ENDPOINT=collector.url,
        CERTIFICATE=files["server"],
        CLIENT_CERTIFICATE=files["client"],
        CLIENT_KEY=files["client_key"],
        HEADERS="authorization=Bearer%20all",
        LOGS_HEADERS="authorization=Bearer%20lines",
    )
    assert sent(to) == []
    assert (collector.events, collector.keys) == (["asked"], ["Bearer lines"])


def test_a_collector_whose_certificate_nobody_named_gets_nothing(
    collector: Collector, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = {"CLIENT_CERTIFICATE": files["client"], "CLIENT_KEY": files["client_key"]}
    assert sent(told(monkeypatch, ENDPOINT=collector.url, **shown)) == [1]
    assert sent(told(monkeypatch, LOGS_CERTIFICATE=files["client"])) == [1]
    assert collector.events == []
    assert sent(told(monkeypatch, LOGS_CERTIFICATE=files["server"])) == []
    assert collector.events == ["asked"]


def test_who_shows_no_certificate_gets_nothing_through(
    collector: Collector, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sent(told(monkeypatch, ENDPOINT=collector.url, CERTIFICATE=files["server"])) == [1]
    assert collector.events == []


def test_what_a_collector_rejects_of_a_batch_is_lost_and_told_once(
    collector: Collector, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    to = told(
        monkeypatch,
        ENDPOINT=collector.url,
        CERTIFICATE=files["server"],
        CLIENT_CERTIFICATE=files["client"],
        CLIENT_KEY=files["client_key"],
    )
    collector.answer.partial_success.rejected_log_records = 2
    collector.answer.partial_success.error_message = "too old"
    with capture_logs() as lines:
        lost: list[int] = []
        outgoing: Sender[Line] = Sender(to, logs.message, lost.append, batch=3, delay_s=0.0)
        outgoing.offer([LINE] * 6)
        outgoing.start()
        outgoing.stop()
    assert lost == [2, 2]
    assert len(collector.events) == 6  # nothing was sent again
    assert [(each["event"], each["rejected"], each["collector_says"]) for each in lines] == [
        ("telemetry_rejected", 2, "too old")
    ]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"CERTIFICATE": "/gone.pem"}, "otlp_certificate"),
        ({"LOGS_CLIENT_CERTIFICATE": "/gone.pem"}, "otlp_client_certificate"),
        ({"CLIENT_KEY": "/gone.pem"}, "otlp_client_certificate"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_named_at_the_start(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        told(monkeypatch, ENDPOINT="https://127.0.0.1:1", **values)
    assert caught.value.facts["field"] == f"setting {field}"


@pytest.mark.parametrize(("said", "leaves"), [("true", False), ("TRUE", False), ("false", True), ("1", True)])
def test_the_standard_switch_turns_everything_off(monkeypatch: pytest.MonkeyPatch, said: str, leaves: bool) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_SDK_DISABLED", said)
    found = [destination(read(OtlpSettings), signal) for signal in Signal]
    assert [each is not None for each in found] == [leaves] * 3


def test_each_signal_may_have_its_own_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    to = told(monkeypatch, ENDPOINT="http://127.0.0.1:1", TIMEOUT="2000", LOGS_TIMEOUT="500")
    traced = destination(read(OtlpSettings), Signal.TRACES)
    assert (to.timeout_s, traced and traced.timeout_s) == (0.5, 2.0)
