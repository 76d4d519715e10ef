"""A server that speaks the routes of the Iceberg REST specification that reading and publishing need.

Tables are those of PyIceberg's SQL catalog; the client under test is PyIceberg's REST client, over real HTTP. Clients
log in with the OAuth2 client credentials `opsloop:secret`, or send the token `let-me-in` as they would a provider's.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pyiceberg.catalog.rest import CreateTableRequest, TableResponse
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.table import CommitTableRequest, Table

TOKEN = "let-me-in"
CREDENTIAL = "opsloop:secret"
PREFIX = "main"
_STATUS = {
    NoSuchTableError: 404,
    NoSuchNamespaceError: 404,
    TableAlreadyExistsError: 409,
    CommitFailedException: 409,
}


class RestCatalog:
    """A running server; `tables` is the catalog behind it, for tests that write to it as another program would."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.tables = SqlCatalog(
            "behind", uri=f"sqlite:///{folder / 'catalog.db'}", warehouse=f"file://{folder / 'warehouse'}"
        )
        self.asked: list[str] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/iceberg"

    @contextmanager
    def running(self) -> Iterator[RestCatalog]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()
            self.tables.engine.dispose()

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        parts = path.removeprefix("/iceberg/v1/").split("/")
        if parts == ["config"]:
            return 200, {"defaults": {}, "overrides": {"prefix": PREFIX}}
        if parts[0] != PREFIX:
            return 404, _error("NotFoundException", 404, f"no warehouse {parts[0]!r}")
        match (method, parts[1:]):
            case ("GET", ["namespaces"]):
                return 200, {"namespaces": [list(each) for each in self.tables.list_namespaces()]}
            case ("POST", ["namespaces"]):
                self.tables.create_namespace(tuple(body["namespace"]))
                return 200, {"namespace": body["namespace"], "properties": {}}
            case ("POST", ["namespaces", namespace, "tables"]):
                wanted = CreateTableRequest.model_validate(
                    {"location": None, "partition-spec": None, "write-order": None, **body}
                )
                made = self.tables.create_table(
                    f"{namespace}.{wanted.name}", wanted.table_schema, properties=wanted.properties
                )
                return 200, _loaded(made)
            case ("GET", ["namespaces", namespace, "tables", table]):
                return 200, _loaded(self.tables.load_table(f"{namespace}.{table}"))
            case ("POST", ["namespaces", namespace, "tables", table]):
                found = self.tables.load_table(f"{namespace}.{table}")
                commit = CommitTableRequest.model_validate(
                    {**body, "identifier": {"namespace": [namespace], "name": table}}
                )
                done = self.tables.commit_table(found, commit.requirements, commit.updates)
                return 200, json.loads(done.model_dump_json(by_alias=True, exclude_none=True))
        return 404, _error("NotFoundException", 404, f"no route {method} {path}")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        catalog = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer("GET")

            def do_POST(self) -> None:
                self._answer("POST")

            def log_message(self, format: str, *args: Any) -> None:
                pass

            def _answer(self, method: str) -> None:
                url = urlsplit(self.path)
                sent = self.rfile.read(int(self.headers.get("content-length") or 0))
                if url.path == "/iceberg/v1/oauth/tokens":
                    self._log_in(parse_qs(sent.decode()))
                    return
                if self.headers.get("authorization") != f"Bearer {TOKEN}":
                    self._send(401, _error("NotAuthorizedException", 401, "wanted a token"))
                    return
                with catalog._lock:
                    catalog.asked.append(f"{method} {url.path.removeprefix('/iceberg')}")
                    try:
                        found = catalog.answer(
                            method, url.path, parse_qs(url.query), json.loads(sent) if sent else None
                        )
                    except tuple(_STATUS) as error:
                        status = _STATUS[type(error)]
                        found = status, _error(type(error).__name__, status, str(error))
                self._send(*found)

            def _log_in(self, form: dict[str, list[str]]) -> None:
                if f"{form['client_id'][0]}:{form['client_secret'][0]}" != CREDENTIAL:
                    self._send(401, {"error": "invalid_client", "error_description": "not known"})
                    return
                self._send(200, {"access_token": TOKEN, "token_type": "bearer", "expires_in": 3600})

            def _send(self, status: int, document: Any) -> None:
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler


def _loaded(table: Table) -> Any:
    answer = TableResponse(metadata=table.metadata, metadata_location=table.metadata_location)
    return json.loads(answer.model_dump_json(by_alias=True, exclude_none=True))


def _error(kind: str, status: int, message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "code": status}}
