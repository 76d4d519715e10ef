"""A scripted server that speaks the part of Azure AI Search's REST API (2024-07-01) that the store uses, in memory.

It is written from the API's reference and refuses what that says is refused: an unknown version, key, field or
analyzer, keys with other characters, more than 1,000 actions, vectors of another size, filters on fields that are not
filterable. It was never held against the service itself.
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

KEY = "0123456789abcdef"
VERSION = "2024-07-01"
RANK_OFFSET = 60
_KEY_OF_ENTRY = re.compile(r"[A-Za-z0-9_\-=]{1,1024}")
_INDEX = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")
_TOKEN = re.compile(r"'(?:[^']|'')*'|[A-Za-z_][A-Za-z_0-9/]*|[():]")

Json = dict[str, Any]
Test = Callable[[Json], bool]


class Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Index:
    definition: Json
    entries: dict[str, Json] = field(default_factory=dict)

    @property
    def fields(self) -> dict[str, Json]:
        return {each["name"]: each for each in self.definition["fields"]}


@dataclass
class AzureSearch:
    """The service's state, and what it is to do wrong next.

    Attributes:
        busy: so many requests are answered with 429.
        leaves_over: so many entries of batches are answered with 503 in a 207.
        shows_after: searches that still show what was there before a batch.
    """

    url: str = ""
    indexes: dict[str, Index] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    busy: int = 0
    leaves_over: int = 0
    shows_after: int = 0
    hidden: dict[str, dict[str, Json]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def answer(self, method: str, path: str, version: str, key: str | None, body: Any) -> tuple[int, Any]:
        with self.lock:
            self.asked.append((method, path, body))
            if key != KEY:
                raise Refused(403, "Access denied: the api-key is not one of this service.")
            if version != VERSION:
                raise Refused(400, f"The api-version {version} is not known.")
            if self.busy:
                self.busy -= 1
                raise Refused(429, "Too many requests.")
            found = re.fullmatch(r"/indexes/([^/]+)(/docs/index|/docs/search)?", path)
            if found is None:
                raise Refused(404, f"No such resource {path}.")
            name, verb = found.groups()
            if verb is None:
                return self._of_index(method, name, body)
            if method != "POST":
                raise Refused(405, "Use POST.")
            if name not in self.indexes:
                raise Refused(404, f"The index '{name}' was not found.")
            index = self.indexes[name]
            return self._change(name, index, body) if verb == "/docs/index" else (200, self._search(name, index, body))

    def _of_index(self, method: str, name: str, body: Any) -> tuple[int, Any]:
        if method == "PUT":
            return self._put(name, body)
        if name not in self.indexes:
            raise Refused(404, f"The index '{name}' was not found.")
        if method == "DELETE":
            del self.indexes[name]
            self.hidden.pop(name, None)
            return 204, None
        return 200, self.indexes[name].definition

    def _put(self, name: str, body: Json) -> tuple[int, Any]:
        if not _INDEX.fullmatch(name) or len(name) > 128 or body.get("name") != name:
            raise Refused(400, f"The index name '{name}' is not valid.")
        if [each["name"] for each in body["fields"] if each.get("key")] != ["id"]:
            raise Refused(400, "An index has exactly one key field.")
        profiles = {each["name"] for each in body.get("vectorSearch", {}).get("profiles", ())}
        for each in body["fields"]:
            if each["type"] == "Collection(Edm.Single)":
                if not 2 <= each.get("dimensions", 0) <= 4096 or each.get("vectorSearchProfile") not in profiles:
                    raise Refused(400, f"The vector field '{each['name']}' needs dimensions and a profile.")
            elif each.get("analyzer") not in (None, "whitespace", "standard.lucene"):
                raise Refused(400, f"The analyzer '{each['analyzer']}' is not known.")
        known = self.indexes.get(name)
        if known is None:
            self.indexes[name] = Index(body)
            return 201, body
        changed = [each for each in known.definition["fields"] if each not in body["fields"]]
        if changed:
            raise Refused(400, f"Existing field '{changed[0]['name']}' cannot be changed.")
        known.definition = body
        return 204, None

    def _change(self, name: str, index: Index, body: Json) -> tuple[int, Any]:
        actions = body["value"]
        if len(actions) > 1_000:
            raise Refused(400, "No more than 1000 actions in one request.")
        if self.shows_after and name not in self.hidden:
            self.hidden[name] = dict(index.entries)
        results = [self._act(index, each) for each in actions]
        return 200 if all(each["status"] for each in results) else 207, {"value": results}

    def _act(self, index: Index, action: Json) -> Json:
        key = str(action["id"])
        if self.leaves_over:
            self.leaves_over -= 1
            return {"key": key, "status": False, "errorMessage": "The service is busy.", "statusCode": 503}
        if action["@search.action"] == "delete":
            index.entries.pop(key, None)
            return {"key": key, "status": True, "errorMessage": None, "statusCode": 200}
        entry = {name: value for name, value in action.items() if name != "@search.action"}
        fault = _fault(index, key, entry)
        if fault is not None:
            return {"key": key, "status": False, "errorMessage": fault, "statusCode": 400}
        index.entries[key] = entry
        return {"key": key, "status": True, "errorMessage": None, "statusCode": 201}

    def _search(self, name: str, index: Index, body: Json) -> Json:
        entries = index.entries
        if name in self.hidden and self.shows_after:
            self.shows_after -= 1
            entries = self.hidden[name]
        else:
            self.hidden.pop(name, None)
        passes = _filter(body["filter"], index.fields) if body.get("filter") else lambda entry: True
        there = [entry for entry in entries.values() if passes(entry)]
        lists: list[tuple[float, list[tuple[float, Json]]]] = []
        if "search" in body or "vectorQueries" not in body:
            lists.append((1.0, _by_words(index, there, body)))
        for query in body.get("vectorQueries", ()):
            lists.append((query.get("weight", 1.0), _by_vector(index, there, query)))
        found = lists[0][1] if len(lists) == 1 else _fused(lists)
        if "orderby" in body:
            found = sorted(found, key=lambda each: str(each[1][body["orderby"]]))
        fields = body.get("select", "id").split(",")
        answer: Json = {
            "value": [
                {"@search.score": score, **{name: entry.get(name) for name in fields}}
                for score, entry in found[: body.get("top", 50)]
            ]
        }
        if body.get("count"):
            answer["@odata.count"] = len(found)
        return answer


def _fault(index: Index, key: str, entry: Json) -> str | None:
    if not _KEY_OF_ENTRY.fullmatch(key):
        return f"Invalid document key: '{key}'."
    for name, value in entry.items():
        if name not in index.fields:
            return f"The property '{name}' does not exist."
        dimensions = index.fields[name].get("dimensions")
        if dimensions is not None and len(value) != dimensions:
            return f"The vector field '{name}' has {dimensions} dimensions, {len(value)} came."
    return None


def _by_words(index: Index, there: Sequence[Json], body: Json) -> list[tuple[float, Json]]:
    asked = body.get("search", "*")
    if asked == "*":
        return [(1.0, entry) for entry in there]
    assert body.get("searchFields") == "words", "only fields that were asked for"
    wanted = asked.lower().split() if index.fields["words"].get("analyzer") != "whitespace" else asked.split()
    texts = [(str(entry.get("words") or "").split(), entry) for entry in there]
    mean = sum(len(words) for words, _ in texts) / max(1, len(texts)) or 1.0
    scored = []
    for words, entry in texts:
        score = 0.0
        for term in set(wanted):
            times, holders = words.count(term), sum(term in other for other, _ in texts)
            rarity = math.log(1 + (len(texts) - holders + 0.5) / (holders + 0.5))
            score += rarity * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * len(words) / mean))
        if score > 0:
            scored.append((score, entry))
    return sorted(scored, key=lambda each: -each[0])


def _by_vector(index: Index, there: Sequence[Json], query: Json) -> list[tuple[float, Json]]:
    """The nearest, however far they are, with the score that the service documents for the cosine."""
    if query["kind"] != "vector" or query["fields"] not in index.fields:
        raise Refused(400, f"Unknown field '{query['fields']}' in vector field list.")
    if len(query["vector"]) != index.fields["vector"]["dimensions"]:
        raise Refused(400, "The vector query has another number of dimensions than the field.")
    scored = []
    for entry in there:
        if entry.get("vector"):
            scored.append((1 / (1 + (1 - _cosine(query["vector"], entry["vector"]))), entry))
    return sorted(scored, key=lambda each: -each[0])[: query["k"]]


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True)) / max(1e-9, math.hypot(*one) * math.hypot(*other))


def _fused(lists: Sequence[tuple[float, list[tuple[float, Json]]]]) -> list[tuple[float, Json]]:
    scores: dict[str, float] = {}
    entries: dict[str, Json] = {}
    for weight, found in lists:
        for rank, (_, entry) in enumerate(found, start=1):
            entries[entry["id"]] = entry
            scores[entry["id"]] = scores.get(entry["id"], 0.0) + weight / (RANK_OFFSET + rank)
    return sorted(((score, entries[id]) for id, score in scores.items()), key=lambda each: -each[0])


def _filter(expression: str, fields: dict[str, Json]) -> Test:
    """`and`, `or`, parentheses, `eq` and `gt` with texts, and `any` over a collection."""
    left = re.sub(r"'(?:[^']|'')*'", "", expression)
    if not re.fullmatch(r"[A-Za-z_0-9/():\s]*", left):
        raise Refused(400, f"Invalid expression: {expression}")
    tokens = _TOKEN.findall(expression)
    parser = _Parser(tokens, fields)
    found = parser.either()
    if parser.at != len(tokens):
        raise Refused(400, f"Invalid expression: syntax error at '{tokens[parser.at]}'.")
    return found


class _Parser:
    def __init__(self, tokens: Sequence[str], fields: dict[str, Json]) -> None:
        self.tokens = tokens
        self.fields = fields
        self.at = 0

    def either(self) -> Test:
        tests = [self.both()]
        while self._next_is("or"):
            tests.append(self.both())
        return lambda entry: any(test(entry) for test in tests)

    def both(self) -> Test:
        tests = [self.one()]
        while self._next_is("and"):
            tests.append(self.one())
        return lambda entry: all(test(entry) for test in tests)

    def one(self) -> Test:
        if self._next_is("("):
            inner = self.either()
            self._take(")")
            return inner
        name = self._take()
        if name.endswith("/any"):
            return self._any(name.removesuffix("/any"))
        self._filterable(name)
        operator, value = self._take(), self._text()
        if operator == "eq":
            return lambda entry: entry.get(name) == value
        if operator == "gt":
            return lambda entry: str(entry.get(name)) > value
        raise Refused(400, f"Invalid expression: operator '{operator}'.")

    def _any(self, name: str) -> Test:
        self._filterable(name)
        self._take("(")
        variable = self._take()
        self._take(":")
        self._take(variable)
        self._take("eq")
        value = self._text()
        self._take(")")
        return lambda entry: value in (entry.get(name) or ())

    def _filterable(self, name: str) -> None:
        if not self.fields.get(name, {}).get("filterable"):
            raise Refused(400, f"Invalid expression: '{name}' is not a filterable field.")

    def _next_is(self, token: str) -> bool:
        is_it = self.at < len(self.tokens) and self.tokens[self.at] == token
        self.at += is_it
        return is_it

    def _take(self, token: str | None = None) -> str:
        if self.at >= len(self.tokens) or (token is not None and self.tokens[self.at] != token):
            raise Refused(400, f"Invalid expression: wanted {token}.")
        self.at += 1
        return self.tokens[self.at - 1]

    def _text(self) -> str:
        token = self._take()
        if not token.startswith("'"):
            raise Refused(400, f"Invalid expression: '{token}' is no text.")
        return token[1:-1].replace("''", "'")


@contextmanager
def azure_search_running() -> Iterator[AzureSearch]:
    service = AzureSearch()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(service))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(service: AzureSearch) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            url = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            version = parse_qs(url.query).get("api-version", [""])[0]
            try:
                body = json.loads(raw) if raw else None
                status, answer = service.answer(
                    self.command, unquote(url.path), version, self.headers.get("api-key"), body
                )
            except Refused as refused:
                status, answer = refused.status, {"error": {"code": "", "message": str(refused)}}
            data = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            if status != 204:
                self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_PUT = do_GET = do_DELETE = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
