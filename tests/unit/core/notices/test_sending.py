"""Sending: what answers, redirects and silence come to."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from cryptography import x509

from opsloop.core.notices import address, sending
from tests.certificates import self_signed


class _Receiver(BaseHTTPRequestHandler):
    seen: list[tuple[str, bytes]]
    hosts: ClassVar[list[str]] = []
    leads_to: ClassVar[str] = ""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.seen.append((self.path, body))
        self.hosts.append(self.headers["host"])
        if self.path == "/silent":
            self.server.released.wait(60)  # type: ignore[attr-defined]
        status = int(self.path.rpartition("/")[2]) if self.path[-3:].isdigit() else 200
        said = b"no_service" if status == 404 else b""
        self.send_response(status)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(said)))
        if status == 307:
            self.send_header("location", self.leads_to or ("/taken" if self.path != "/again/307" else "/again/307"))
        if status == 503:
            self.send_header("retry-after", "77")
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    seen: list[tuple[str, bytes]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Receiver", (_Receiver,), {"seen": seen}))
    server.released = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.released.set()  # type: ignore[attr-defined]
    server.shutdown()
    thread.join()
    server.server_close()


def send(url: str, timeout_s: float = 20) -> sending.Answer:
    return sending.send(url, b"{}", {"content-type": "application/json"}, timeout_s=timeout_s)


def test_success_is_any_answer_of_the_two_hundreds(receiver: tuple[str, list[tuple[str, bytes]]]) -> None:
    url, seen = receiver
    assert send(f"{url}/hook") == sending.Answer(200, None)
    assert seen == [("/hook", b"{}")]


def test_a_refusal_is_told_with_what_the_other_side_says(receiver: tuple[str, list[tuple[str, bytes]]]) -> None:
    url, _ = receiver
    assert send(f"{url}/404").error == "answered 404 (no_service)"
    assert send(f"{url}/410").is_lasting
    assert send(f"{url}/503") == sending.Answer(503, "answered 503", 77.0)


def test_a_redirect_that_keeps_the_method_is_followed_where_the_address_is_private_itself(
    receiver: tuple[str, list[tuple[str, bytes]]],
) -> None:
    url, seen = receiver
    assert send(f"{url}/x/307").status == 200
    assert seen[-1] == ("/taken", b"{}")
    assert send(f"{url}/302").error == "answered 302"
    assert send(f"{url}/again/307").error == "was redirected more than 3 times"


@pytest.fixture
def from_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the first address were one of the public web."""
    monkeypatch.setattr(sending, "_reached_private", lambda response: False)


@pytest.mark.usefixtures("from_public")
def test_a_redirect_from_a_public_address_to_a_private_one_is_refused(
    receiver: tuple[str, list[tuple[str, bytes]]],
) -> None:
    url, seen = receiver
    assert send(f"{url}/x/307").error == "was redirected to a private address, which is refused"
    # A name is looked up, and what it stands for is what counts.
    by_name = url.replace("127.0.0.1", "localhost")
    assert send(f"{by_name}/x/307").error == "was redirected to a private address, which is refused"
    assert [path for path, _ in seen] == ["/x/307", "/x/307"]


def stands_for(monkeypatch: pytest.MonkeyPatch, name: str, *found: str) -> list[str]:
    """Have a name stand for addresses, all of them taken as public; gives what was looked up."""
    asked: list[str] = []

    async def addresses(host: str) -> list[str]:
        asked.append(host)
        return list(found) if host == name else [host]

    monkeypatch.setattr(sending, "_addresses", addresses)
    monkeypatch.setattr(address, "is_private", lambda host: False if host[:1].isdigit() or ":" in host else None)
    return asked


@pytest.mark.usefixtures("from_public")
def test_a_redirect_goes_to_the_address_that_was_looked_at_and_to_no_other(
    receiver: tuple[str, list[tuple[str, bytes]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name leads nowhere for whoever looks it up by himself: what came went to the address that was checked."""
    url, seen = receiver
    port = url.rpartition(":")[2]
    asked = stands_for(monkeypatch, "hooks.invalid", "127.0.0.9", "127.0.0.1")  # nobody listens at the first
    hosts: list[str] = []
    monkeypatch.setattr(_Receiver, "hosts", hosts)
    monkeypatch.setattr(_Receiver, "leads_to", f"http://hooks.invalid:{port}/there")
    assert send(f"{url}/x/307") == sending.Answer(200, None)
    assert seen == [("/x/307", b"{}"), ("/there", b"{}")]
    assert hosts == [f"127.0.0.1:{port}", f"hooks.invalid:{port}"]
    assert asked == ["hooks.invalid"]


@pytest.mark.usefixtures("from_public")
@pytest.mark.parametrize(("name", "wanted"), [("hooks.invalid", None), ("other.invalid", "not valid for")])
def test_over_tls_the_certificate_has_to_be_for_the_name_not_for_the_address(
    receiver: tuple[str, list[tuple[str, bytes]]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    wanted: str | None,
) -> None:
    url, seen = receiver
    key, certificate = self_signed(tmp_path, x509.DNSName("hooks.invalid"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setattr(sending, "_trusting", lambda: ssl.create_default_context(cafile=str(certificate)))
    stands_for(monkeypatch, name, "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Secured", (_Receiver,), {"seen": seen}))
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a handshake that is broken off
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        monkeypatch.setattr(_Receiver, "leads_to", f"https://{name}:{server.server_port}/there")
        error = send(f"{url}/x/307").error
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert error is None if wanted is None else wanted in (error or "")
    assert [path for path, _ in seen] == ["/x/307", "/there"][: 2 if wanted is None else 1]


def test_a_proxy_of_the_environment_is_used(
    receiver: tuple[str, list[tuple[str, bytes]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, seen = receiver
    for each in ("HTTP_PROXY", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(each, raising=False)
    for proxy in (url, url.removeprefix("http://")):
        monkeypatch.setenv("http_proxy", proxy)
        assert send("http://hooks.invalid/there") == sending.Answer(200, None)
    assert seen == [("http://hooks.invalid/there", b"{}")] * 2
    for proxy in ("socks5://127.0.0.1:1", "ftp://127.0.0.1:1"):
        monkeypatch.setenv("http_proxy", proxy)
        assert "wanted http://HOST:PORT" in (send("http://hooks.invalid/there").error or "")


def test_silence_ends_after_the_time_that_is_given(receiver: tuple[str, list[tuple[str, bytes]]]) -> None:
    url, _ = receiver
    assert send(f"{url}/silent", timeout_s=0.2) == sending.Answer(None, "no answer within 0.2 s")


def test_nobody_there_is_told_without_the_path() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answer = send(f"http://127.0.0.1:{port}/services/T0/secret")
    assert answer.status is None
    assert answer.error is not None
    assert str(port) in answer.error
    assert "secret" not in answer.error
