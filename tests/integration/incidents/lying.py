"""A model server on a real socket that says what a test tells it to say, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class LyingServer(ThreadingHTTPServer):
    """Args: body: what is answered, raw; refuses: statuses of the first calls; slow_s: silence before each answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.body = b"{}"
        self.refuses: list[int] = []
        self.slow_s = 0.0
        self.asked: list[dict[str, Any]] = []

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def says(self, text: object) -> None:
        """A message with this content, JSON unless it is a text."""
        content = text if isinstance(text, str) else json.dumps(text)
        message = {"role": "assistant", "content": content}
        self.body = json.dumps({"model": "liar", "choices": [{"message": message, "finish_reason": "stop"}]}).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LyingServer

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append(json.loads(asked))
        time.sleep(self.server.slow_s)
        status = self.server.refuses.pop(0) if self.server.refuses else 200
        body = b'{"error": {"message": "response_format is not known"}}' if status != 200 else self.server.body
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *said: object) -> None:
        pass


@contextmanager
def lying() -> Iterator[LyingServer]:
    with LyingServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
