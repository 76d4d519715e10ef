"""What a hostile client can send: a 4xx that says what is wrong, never a 5xx, and the platform goes on."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from tests.acceptance.faults.conftest import invoke, says_no_traceback, small_project
from tests.acceptance.up import Up

JSON = {"content-type": "application/json"}
PROBLEM = "application/problem+json"
NESTED = b"[" * 100_000
OBJECTS = b'{"a":' * 50_000 + b"1" + b"}" * 50_000

ROUTES = [
    "/endpoints/echo/invoke",
    "/v1/chat/completions",
    "/query",
    "/upload",
    "/feedback",
    "/api/keys",
    "/api/endpoints",
    "/api/endpoints/echo/releases",
    "/api/evaluations",
]
NO_OBJECT = {
    "nothing": b"",
    "half an object": b"{",
    "two objects": b"{}{}",
    "a list": b"[]",
    "null": b"null",
    "a number": b"1",
    "a text": b'"x"',
    "a zero byte": b'{"question":"a\x00b"}',
    "no UTF-8": b'{"question":"\xff","filename":"\xff"}',
    "half a surrogate": b'{"question":"\\ud800","name":"\\ud800","inputs":{"question":"\\ud800"},"model":"\\ud800"}',
    "lists in lists": NESTED,
    "objects in objects": OBJECTS,
    "a number too long": b'{"top_k":' + b"9" * 5_000 + b',"inputs":{"question":' + b"9" * 5_000 + b"}}",
    "no number": b'{"question":"x","top_k":NaN}',
    "unknown keys": b'{"nobody":1,"knows":2}',
    "XML": b"<question>x</question>",
    "noise": bytes(range(256)) * 8,
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One platform for all of these: each test leaves it as able to answer as it was."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run = Up(small_project(tmp_path_factory.mktemp("requests") / "small"), port, OPSLOOP_BODY_LIMIT_BYTES="1000000")
    try:
        run.wait_for("Ctrl-C stops it")
        yield run
        assert run.stop() == 0
        says_no_traceback(run)
        assert run.events("request_failed") == []
    finally:
        if run.process.poll() is None:
            run.kill()


@pytest.fixture
def http(served: Up) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, timeout=120, trust_env=False) as client:
        yield client
        assert invoke(client, "still there?").json()["outputs"] == {"answer": "still there?"}


def is_told(answer: httpx.Response, *statuses: int) -> str:
    """The sentence of an error; in the shape of the route's protocol."""
    assert answer.status_code in statuses, answer.text[:300]
    document = answer.json()
    if answer.request.url.path.startswith("/v1/"):
        return str(document["error"]["message"])
    assert answer.headers["content-type"] == PROBLEM
    assert document["status"] == answer.status_code
    assert document["type"].startswith("urn:opsloop:problem:")
    return str(document["detail"])


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("content", NO_OBJECT.values(), ids=NO_OBJECT)
def test_a_body_that_is_no_request_is_told(http: httpx.Client, path: str, content: bytes) -> None:
    sentence = is_told(http.post(path, content=content, headers=JSON), 400, 422)
    assert len(sentence) < 400
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("path", "sent", "sentence"),
    [
        ("/query", {"question": 5}, "question: is 5; wanted a valid string"),
        ("/query", {"question": "x", "topk": 5}, "topk: is not known here"),
        ("/query", {}, "question: is missing; wanted a value"),
        ("/query", {"question": "x", "top_k": -1}, "top_k: is -1; wanted"),
        ("/upload", {"filename": "a.txt", "content_base64": "%%%"}, "content_base64: wanted base64 of a.txt"),
        ("/upload", {"filename": "../a", "content_base64": "eA=="}, "filename: is '../a'; wanted a plain file name"),
        ("/upload", {"filename": "a\0b", "content_base64": "eA=="}, "filename: is 'a\\x00b'; wanted a plain file name"),
        ("/feedback", {"request_id": "r", "score": "good"}, "score: is 'good'; wanted a valid number"),
        ("/feedback", {"request_id": "r\0", "thumb": "up"}, "request_id: is 'r\\x00'; wanted"),
        ("/api/keys", {"name": "x", "role": "king"}, "role: is 'king'; wanted 'viewer', 'developer'"),
        ("/api/keys", {"name": "a\0b"}, "name: is 'a\\x00b'; wanted"),
        ("/api/endpoints/echo/releases", {"flow": "\0"}, "flow version: is '\\x00'; wanted"),
        ("/endpoints/echo/invoke", {"inputs": []}, "inputs: is an array; wanted an object"),
        ("/endpoints/echo/invoke", {"inputs": {}}, "inputs.question is missing: wanted a value (string)"),
        ("/endpoints/echo/invoke", {"input": {}}, "object contains unknown field `input`"),
        ("/v1/chat/completions", {"model": 5, "messages": []}, "model: is a whole number; wanted a string"),
        ("/v1/chat/completions", {"model": "echo", "messages": "x"}, "messages: is a string; wanted an array"),
    ],
)
def test_a_wrong_value_is_told_with_its_field(http: httpx.Client, path: str, sent: object, sentence: str) -> None:
    assert sentence in is_told(http.post(path, content=json.dumps(sent), headers=JSON), 400, 422)


@pytest.mark.parametrize(
    "path",
    [
        "/api/audit?before=99999999999999999999999",
        "/api/audit?before=x",
        "/api/audit?limit=0",
        "/api/requests?limit=100000000000000000000",
        "/api/feedback?limit=-1",
        "/api/jobs?limit=1e3",
        "/api/events?topics=%00",
        "/api/events?topics=" + "a," * 3_900,
        "/audit?before=-1",
    ],
)
def test_a_wrong_query_is_told(http: httpx.Client, path: str) -> None:
    is_told(http.get(path), 422)


@pytest.mark.parametrize(
    "path",
    [
        "/api/endpoints/%00",
        "/api/endpoints/%ff",
        "/api/datasets/%00",
        "/api/datasets/golden@99999999999999999999",
        "/api/jobs/%F0%9F%92%A5",
        "/api/rollouts/" + "a" * 5_000,
        "/api/evaluations/..%2f..%2fetc%2fpasswd",
        "/static/..%2f..%2fcore%2fsettings.py",
        "/static/%2e%2e/%2e%2e/app.py",
        "/endpoints/%00",
        "/go/%00",
        "/%",
        "/nothing/here",
        "/v1/models/%00",
    ],
)
def test_a_path_that_leads_nowhere_is_told(http: httpx.Client, path: str) -> None:
    is_told(http.get(path), 404, 422)


@pytest.mark.parametrize("path", ROUTES)
def test_a_body_over_the_limit_is_refused(http: httpx.Client, path: str) -> None:
    sentence = is_told(http.post(path, content=b"x" * 1_000_001, headers=JSON), 413)
    assert "over the limit of 1000000 bytes" in sentence


@pytest.mark.parametrize("path", ROUTES)
def test_a_body_that_does_not_say_how_long_it_is_is_cut_off(http: httpx.Client, path: str) -> None:
    answer = http.post(path, content=(b" " * 100_000 for _ in range(11)), headers=JSON)
    assert "over the limit of 1000000 bytes" in is_told(answer, 413)
    assert answer.headers["connection"] == "close"


class Wire:
    """A connection on which a test writes what it likes."""

    def __init__(self, url: str) -> None:
        host, port = url.removeprefix("http://").split(":")
        self._socket = socket.create_connection((host, int(port)), timeout=60)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, content: bytes) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # it has heard enough
            self._socket.sendall(content)

    def end(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def answer(self) -> bytes:
        """What comes until the other side closes, or has said the end of a chunked body."""
        heard = b""
        with suppress(ConnectionResetError):
            while piece := self._socket.recv(65_536):
                heard += piece
                if heard.endswith(b"\r\n0\r\n\r\n"):
                    break
        return heard


ANNOUNCED = (
    b"POST /feedback HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
)
CHUNKED = b"POST /endpoints/echo/invoke HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
GET = b"GET /api/audit HTTP/1.1\r\nhost: localhost\r\n"


@pytest.mark.parametrize(
    ("sent", "status", "sentence"),
    [
        (b"\x00\x01\x02\x03\r\n\r\n", 400, b"not an HTTP/1.1 request"),
        (bytes.fromhex("16030100a5010000a10303") + bytes(160), 400, b"not an HTTP/1.1 request"),
        (b"BREW /coffee HTTP/1.1\r\n\r\n", 400, b"not an HTTP/1.1 request"),
        (b"POST /feedback HTTP/1.1\r\nhost: localhost\r\ncontent-length: abc\r\n\r\n", 400, b"not an HTTP/1.1 request"),
        (b"POST /feedback HTTP/1.1\r\nhost: localhost\r\ncontent-length: -5\r\n\r\n", 400, b"not an HTTP/1.1 request"),
        (CHUNKED + b"zz\r\n", 400, b"not an HTTP/1.1 request"),
        (GET + b"authorization: Bearer opl_a\x00b\r\n\r\n", 400, b"not an HTTP/1.1 request"),
        (GET + b"x: " + b"a" * 200_000 + b"\r\n\r\n", 431, b"headers are over the limit of 65536 bytes"),
        (GET + b"x: " + b"a" * 2_000_000, 431, b"headers are over the limit of 65536 bytes"),
        (GET + b"".join(b"x%d: a\r\n" % number for number in range(20_000)), 431, b"headers are over the limit"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n", 431, b"headers are over the limit"),
        (ANNOUNCED % 99_999_999_999, 413, b"over the limit of 1000000 bytes"),
        (ANNOUNCED.replace(b"/feedback", b"/endpoints/echo/invoke") % 99_999_999_999, 413, b"over the limit of"),
        (GET.replace(b"localhost", b"[::") + b"connection: close\r\n\r\n", 403, b"answers on this machine only"),
        (GET.replace(b"localhost", b"\xff\xfe") + b"connection: close\r\n\r\n", 403, b"answers on this machine only"),
        (
            GET.replace(b"localhost", b"evil.example") + b"connection: close\r\n\r\n",
            403,
            b"answers on this machine only",
        ),
        (GET + b"authorization: Bearer opl_\xff\xfe\r\nconnection: close\r\n\r\n", 401, b"API key is not known"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_request_on_the_wire_is_told(
    served: Up, http: httpx.Client, sent: bytes, status: int, sentence: bytes
) -> None:
    with Wire(served.url) as wire:
        wire.send(sent)
        answer = wire.answer()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer[:300]
    assert PROBLEM.encode() in head
    assert sentence in body


def test_a_caller_who_goes_away_in_the_middle_of_a_body_harms_nobody(served: Up, http: httpx.Client) -> None:
    for sent in (ANNOUNCED % 100 + b"{", CHUNKED + b"5\r\n{", b"POST /upload HTTP/1.1\r\nhost: loc"):
        with Wire(served.url) as wire:
            wire.send(sent)
            wire.end()
            assert b" 500 " not in wire.answer()
