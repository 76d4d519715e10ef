"""The short way of requests for predictions: what it answers, and what it leaves to the ordinary one."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from sklearn.linear_model import LogisticRegression
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from opsloop.core.settings import CoreSettings
from opsloop.limits import service as limits
from opsloop.limits.models import Limit
from opsloop.limits.models import Scope as LimitScope
from opsloop.models.signature import Task
from opsloop.releases.driver import Driver
from opsloop.server.door import Door
from opsloop.server.short_protocol import ShortProtocol
from tests.integration.gateway.test_predict import ROWS, release
from tests.integration.gateway.world import OPERATOR, Live, Shop
from tests.unit.models.made import candidate, iris, iris_candidate

GOOD = json.dumps({"inputs": ROWS}).encode()
WRONG = b'{"inputs": [[1, 2, 3]]}'


class Short(Live):
    """A gateway behind the platform's protocol."""

    def config(self) -> uvicorn.Config:
        door = Door(self.workspace, listens_on_loopback=True)
        http: Any = partial(ShortProtocol, shortcut=self.gateway.shortcut, door=door, limit_bytes=100_000)
        return uvicorn.Config(
            self.entrance, interface="asgi3", lifespan="off", log_config=None, access_log=False, http=http
        )

    async def entrance(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What the platform's entrance does for a request id."""
        scope["opsloop.request_id"] = Headers(scope=scope).get("x-request-id")
        await self.gateway(scope, receive, send)


@pytest.fixture
def settings(migrated_folder: Path) -> CoreSettings:
    return CoreSettings(data_dir=migrated_folder)


@pytest.fixture
def served(shop: Shop) -> Iterator[Short]:
    release(shop, iris_candidate())
    made = Short(shop.workspace)
    yield made
    made.stop()


class Wire:
    """One connection, byte by byte."""

    def __init__(self, live: Live) -> None:
        self.socket = socket.create_connection(live.address, timeout=60)
        self._file = self.socket.makefile("rb")

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.socket.sendall(piece)

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def line(self) -> bytes:
        return self._file.readline()

    def answer(self) -> tuple[int, dict[str, str], Any]:
        status = int(self._file.readline().split()[1])
        headers = {}
        while (line := self._file.readline().strip()) != b"":
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, json.loads(self._file.read(int(headers["content-length"])))


@pytest.fixture
def wire(served: Short) -> Iterator[Wire]:
    made = Wire(served)
    yield made
    made.close()


def post(body: bytes, *, path: str = "/predict", **headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_an_answer_of_the_short_way_is_that_of_the_ordinary_one(shop: Shop, served: Short, wire: Wire) -> None:
    found = []
    for headers in ({}, {"connection": "close"}):  # the second is left to the ordinary way
        wire.send(post(GOOD, x_request_id="mine-1", **headers))
        found.append(wire.answer())
    (status, head, said), (_, ordinary_head, ordinary) = found
    assert served.gateway.shortcut.answered == 1
    assert (status, said["predictions"], said["request_id"]) == (200, [0, 2], "mine-1")
    assert said == {**ordinary, "drift_score": said["drift_score"]}
    assert head["x-request-id"] == "mine-1"
    assert ordinary_head["content-type"] == head["content-type"]
    assert {"date", "content-type", "content-length"} <= head.keys()
    served.drain()
    first, second = shop.records("iris")
    assert (first.subject, first.engine, first.release) == (second.subject, "model", second.release)


def test_what_is_limited_is_left_to_the_ordinary_way_and_counted(shop: Shop, served: Short, wire: Wire) -> None:
    with shop.workspace.writing(OPERATOR) as uow:
        limits.put(uow, LimitScope.ENDPOINT, "iris", Limit(requests_per_minute=1))
    served.gateway.limits.refresh()
    wire.send(post(GOOD))
    status, head, _ = wire.answer()
    assert (status, head["x-ratelimit-remaining-requests"]) == (200, "0")
    wire.send(post(GOOD))
    assert wire.answer()[0] == 429
    assert served.gateway.shortcut.answered == 0


def test_requests_that_name_nobody_are_subjects_of_their_own_on_both_ways(
    shop: Shop, served: Short, wire: Wire
) -> None:
    asked = [{}, {}, {"x_opsloop_subject": "mia"}, {"prefer": "wait"}, {"x_opsloop_subject": "mia", "prefer": "wait"}]
    for headers in asked:  # whatever prefers something is left to the ordinary way
        wire.send(post(GOOD, **headers))
        assert wire.answer()[0] == 200
    wire.send(post(json.dumps({"inputs": ROWS, "user": "mia"}).encode()))
    assert wire.answer()[0] == 200
    assert served.gateway.shortcut.answered == 4
    served.drain()
    named = [record.subject for record in shop.records("iris")]
    [mia] = {each for each in named if named.count(each) == 3}
    assert len({each for each in named if each != mia}) == 3


def test_a_request_that_turns_round_keeps_the_id_that_its_arm_was_drawn_for(served: Short, wire: Wire) -> None:
    drawn: list[str] = []
    made = served.gateway.shortcut.request_id

    def noting() -> str:
        drawn.append(made())
        return drawn[-1]

    served.gateway.shortcut.request_id = noting  # type: ignore[method-assign]
    wire.send(post(json.dumps({"inputs": ROWS, "return": ["probabilities"]}).encode()))
    _, head, _ = wire.answer()
    assert served.gateway.shortcut.answered == 0
    assert drawn == [head["x-request-id"]]


def test_pipelined_requests_are_answered_in_their_order(served: Short, wire: Wire) -> None:
    asked = [post(json.dumps({"inputs": [ROWS[number % 2]]}).encode()) for number in range(20)]
    asked[5] = post(WRONG)
    asked[11] = post(GOOD, path="/endpoints/nobody/predict")
    wire.send(b"".join(asked))
    found = [wire.answer() for _ in asked]
    assert [status for status, _, _ in found] == [422 if n == 5 else 404 if n == 11 else 200 for n in range(20)]
    said = [answer["predictions"] for status, _, answer in found if status == 200]
    assert said == [[0] if n % 2 == 0 else [2] for n in range(20) if n not in (5, 11)]


@pytest.mark.parametrize("cut", [1, 20, 90, 100])
def test_a_request_may_come_in_pieces(served: Short, wire: Wire, cut: int) -> None:
    wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    whole = post(GOOD)
    wire.send(whole[:cut], whole[cut:])
    assert wire.answer()[2]["predictions"] == [0, 2]


def test_a_chunked_body_goes_the_ordinary_way(served: Short, wire: Wire) -> None:
    head = b"POST /predict HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n"
    wire.send(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD))
    assert wire.answer()[2]["predictions"] == [0, 2]
    assert served.gateway.shortcut.answered == 0


def test_who_asks_to_go_on_is_told_to(served: Short, wire: Wire) -> None:
    whole = post(GOOD, expect="100-continue")
    cut = whole.index(b"\r\n\r\n") + 4
    wire.send(whole[:cut])
    assert wire.line() == b"HTTP/1.1 100 Continue\r\n"
    assert wire.line() == b"\r\n"
    wire.send(whole[cut:])
    assert wire.answer()[2]["predictions"] == [0, 2]


def test_a_body_that_does_not_come_is_left_to_the_ordinary_way(served: Short, wire: Wire) -> None:
    whole = post(GOOD)
    wire.send(whole[:-1])
    while served.call(_waits(served)):  # until the protocol gave up on it
        pass
    wire.send(whole[-1:])
    assert wire.answer()[2]["predictions"] == [0, 2]
    assert served.gateway.shortcut.answered == 0


def _waits(served: Short) -> Any:
    async def look() -> bool:
        return not any(getattr(each, "cycle", None) for each in served._server.server_state.connections)

    return look


def test_foreign_pages_and_hosts_are_not_let_past_the_door(served: Short, wire: Wire) -> None:
    wire.send(post(GOOD, origin="http://elsewhere.example"), post(GOOD).replace(b"127.0.0.1", b"elsewhere.example"))
    assert [wire.answer()[0] for _ in range(2)] == [200, 200]  # by a gateway without its entrance
    assert served.gateway.shortcut.answered == 0


def test_records_are_there_before_their_answers(shop: Shop, served: Short, wire: Wire) -> None:
    wire.send(post(GOOD, x_request_id="kept-1"))
    assert wire.answer()[0] == 200
    spooled = b"".join(path.read_bytes() for path in (shop.workspace.data_dir / "spool").iterdir())
    stored = {record.request_id for record in shop.records("iris")}
    assert b"kept-1" in spooled or "kept-1" in stored or "kept-1" in {r.request_id for r in shop.records("iris")}


def test_a_candidate_in_the_shadow_is_asked_on_both_ways(shop: Shop, served: Short, wire: Wire) -> None:
    X, y = iris()
    other = candidate(LogisticRegression(C=0.5, max_iter=500), X, y, Task.CLASSIFICATION)
    rollout = release(shop, other, strategy={"shadow": {"min_pairs": 1_000_000, "sample": 1.0}})
    Driver.of(shop.workspace, rollout).tick(shop.workspace)
    while not any(record.shadow for record in shop.records("iris")):  # until the test's own time limit
        wire.send(post(GOOD))
        assert wire.answer()[2]["predictions"] == [0, 2]
    wire.send(post(GOOD, x_request_id="short"))
    short = wire.answer()[2]
    wire.send(post(GOOD, connection="close"))
    ordinary = wire.answer()[2]
    served.drain()
    copies = {record.request_id: record for record in shop.records("iris") if record.shadow}
    for each in (short, ordinary):
        copy = copies[f"{each['request_id']}~candidate"]
        assert (copy.status, copy.agreement, copy.release) == ("ok", 1.0, copies["short~candidate"].release)
        assert copy.release != each["release"]
