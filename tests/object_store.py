"""A server that speaks the part of S3 that reading, listing and publishing need, in memory, in this process.

moto's server cannot be a dependency here: it and DBOS want different versions of python-dateutil. With
`OPSLOOP_TEST_S3_URL` the tests run against the server there (MinIO, moto) with the credentials of the environment.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

BUCKET = "lake"
_AT = datetime(2026, 11, 1, tzinfo=UTC)
_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@contextmanager
def s3_running() -> Iterator[dict[str, str]]:
    """What the environment has to say so that clients find it; its bucket is `lake`."""
    if (there := os.environ.get("OPSLOOP_TEST_S3_URL")) is not None:
        yield {**{name: os.environ.get(name, value) for name, value in _VARIABLES.items()}, "AWS_ENDPOINT_URL": there}
        return
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler({}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield {**_VARIABLES, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"}
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(objects: dict[str, bytes]) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            key, query = self._asked()
            if not key:
                self._send(200, _listing(objects, query))
            elif key in objects:
                self._object(objects[key])
            else:
                self._send(404, b"<Error><Code>NoSuchKey</Code></Error>")

        do_HEAD = do_GET

        def do_PUT(self) -> None:
            key, _ = self._asked()
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            with lock:
                if self.headers.get("if-none-match") == "*" and key in objects:
                    self._send(412, b"<Error><Code>PreconditionFailed</Code></Error>")
                    return
                if key:
                    objects[key] = body
            self._send(200, b"", ETag=_tag(body))

        def do_DELETE(self) -> None:
            key, _ = self._asked()
            objects.pop(key, None)
            self._send(204, b"")

        def do_POST(self) -> None:
            """Many deletes in one."""
            self._asked()
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            keys = [unescape(key) for key in re.findall(r"<Key>(.*?)</Key>", body)]
            for key in keys:
                objects.pop(key, None)
            deleted = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
            self._send(200, f"<DeleteResult>{deleted}</DeleteResult>".encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def _asked(self) -> tuple[str, dict[str, str]]:
            """The key in the bucket, and the query."""
            url = urlsplit(self.path)
            key = unquote(url.path).removeprefix(f"/{BUCKET}").removeprefix("/")
            return key, {name: values[0] for name, values in parse_qs(url.query).items()}

        def _object(self, data: bytes) -> None:
            headers = {"ETag": _tag(data), "Last-Modified": format_datetime(_AT, usegmt=True)}
            found = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("range") or "")
            if found is None:
                self._send(200, data, **headers)
                return
            first, last = found.groups()
            start = int(first) if first else len(data) - int(last)
            end = min(int(last), len(data) - 1) if first and last else len(data) - 1
            headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
            self._send(206, data[start : end + 1], **headers)

        def _send(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Handler


def _tag(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'


def _listing(objects: dict[str, bytes], query: dict[str, str]) -> bytes:
    prefix, after, delimiter = query.get("prefix", ""), query.get("start-after", ""), query.get("delimiter")
    keys = sorted(key for key in objects if key.startswith(prefix) and key > after)
    common: set[str] = set()
    contents = []
    for key in keys:
        rest = key[len(prefix) :]
        if delimiter and delimiter in rest:
            common.add(prefix + rest.partition(delimiter)[0] + delimiter)
            continue
        contents.append(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{_AT:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
            f"<ETag>{escape(_tag(objects[key]))}</ETag><Size>{len(objects[key])}</Size></Contents>"
        )
    shared = [f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>" for each in sorted(common)]
    body = "".join([*contents, *shared])
    return f"<ListBucketResult><IsTruncated>false</IsTruncated>{body}</ListBucketResult>".encode()
