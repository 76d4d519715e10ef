"""A server that keeps comments of pull requests as GitHub and Azure DevOps do, over real HTTP."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

MAY_WRITE = "may-write"
MAY_READ = "may-read"
GITHUB = re.compile(r"/repos/acme/chatbot/issues/(?:(?P<pull>\d+)/comments|comments/(?P<comment>\d+))")
AZURE = re.compile(
    r"/acme/Chat%20bot/_apis/git/repositories/repo-1/pullRequests/(?P<pull>\d+)/threads"
    r"(?:/(?P<thread>\d+)/comments/(?P<comment>\d+))?"
)


@dataclass
class Kept:
    """The comments by pull request, and every request as method and path."""

    url: str = ""
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def bodies(self, pull: int) -> list[str]:
        return [each["body"] for each in self.comments.get(pull, [])]

    def add(self, pull: int, body: str, author: str) -> dict[str, Any]:
        number = 1 + sum(len(each) for each in self.comments.values())
        made = {"id": number, "body": body, "user": {"login": author}, "html_url": f"{self.url}/comment/{number}"}
        self.comments.setdefault(pull, []).append(made)
        return made

    def change(self, number: int, body: str) -> dict[str, Any]:
        (found,) = [each for pull in self.comments.values() for each in pull if each["id"] == number]
        found["body"] = body
        return found


def _as_azure(made: dict[str, Any]) -> dict[str, Any]:
    return {"id": 1, "content": made["body"], "author": {"id": made["user"]["login"]}}


class _Handler(BaseHTTPRequestHandler):
    kept: Kept

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PATCH(self) -> None:
        self._answer("PATCH")

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def _answer(self, method: str) -> None:
        parsed = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        self.kept.asked.append((method, parsed.path))
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in (MAY_READ, MAY_WRITE) or (method != "GET" and token != MAY_WRITE):
            self._say(403, {"message": "Resource not accessible by integration"})
        elif match := GITHUB.fullmatch(parsed.path):
            self._github(method, match, body, parse_qs(parsed.query))
        elif match := AZURE.fullmatch(parsed.path):
            assert parse_qs(parsed.query)["api-version"] == ["7.1"]
            self._azure(method, match, body)
        elif parsed.path == "/acme/_apis/connectionData" or parsed.path == "/_apis/connectionData":
            self._say(200, {"authenticatedUser": {"id": "build-service"}})
        elif parsed.path == "/user":
            self._say(403, {"message": "Resource not accessible by integration"})  # as for a job's own token
        else:
            self._say(404, {"message": "Not Found"})

    def _github(self, method: str, match: re.Match[str], body: Any, query: dict[str, list[str]]) -> None:
        assert self.headers["x-github-api-version"] == "2022-11-28"
        if method == "PATCH":
            self._say(200, self.kept.change(int(match["comment"]), body["body"]))
        elif method == "POST":
            self._say(201, self.kept.add(int(match["pull"]), body["body"], "github-actions[bot]"))
        else:
            size, page = (int(query[name][0]) for name in ("per_page", "page"))
            self._say(200, self.kept.comments.get(int(match["pull"]), [])[(page - 1) * size : page * size])

    def _azure(self, method: str, match: re.Match[str], body: Any) -> None:
        if method == "PATCH":
            self._say(200, _as_azure(self.kept.change(int(match["thread"]), body["content"])))
        elif method == "POST":
            made = self.kept.add(int(match["pull"]), body["comments"][0]["content"], "build-service")
            self._say(200, {"id": made["id"], "comments": [_as_azure(made)], "status": body["status"]})
        else:
            found = self.kept.comments.get(int(match["pull"]), [])
            self._say(200, {"value": [{"id": each["id"], "comments": [_as_azure(each)]} for each in found]})

    def _say(self, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def served() -> Iterator[Kept]:
    kept = Kept()
    handler = type("Handler", (_Handler,), {"kept": kept})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield kept
        server.shutdown()
        thread.join(10)
