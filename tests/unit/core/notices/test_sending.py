"""Sending: what answers, redirects and silence come to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from opsloop.core.notices import address, sending


class _Receiver(BaseHTTPRequestHandler):
    seen: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.seen.append((self.path, body))
        if self.path == "/silent":
            self.server.released.wait(30)  # type: ignore[attr-defined]
        status = int(self.path.rpartition("/")[2]) if self.path[-3:].isdigit() else 200
        said = b"no_service" if status == 404 else b""
        self.send_response(status)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(said)))
        if status == 307:
            self.send_header("location", "/taken" if self.path != "/again/307" else "/again/307")
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


def test_a_redirect_from_a_public_address_to_a_private_one_is_refused(
    receiver: tuple[str, list[tuple[str, bytes]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, seen = receiver

    async def is_public(_url: str) -> bool:
        return False

    monkeypatch.setattr(sending, "_reached_private", is_public)
    assert send(f"{url}/x/307").error == "was redirected to a private address, which is refused"
    # A name is looked up, and what it stands for is what counts.
    by_name = url.replace("127.0.0.1", "localhost")
    monkeypatch.setattr(address, "is_private", lambda host: True if host[:1].isdigit() or ":" in host else None)
    assert send(f"{by_name}/x/307").error == "was redirected to a private address, which is refused"
    assert [path for path, _ in seen] == ["/x/307", "/x/307"]


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
