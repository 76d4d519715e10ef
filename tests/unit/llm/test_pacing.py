import asyncio
import json
import random
from collections.abc import AsyncIterator, Mapping

import pytest

from opsloop.core.clock import FakeClock
from opsloop.llm.errors import ModelUnavailable
from opsloop.llm.openai_compatible import OpenAICompatible
from opsloop.llm.pacing import Pace
from opsloop.llm.retrying import Patience
from opsloop.llm.servers import ModelServer
from opsloop.llm.transport import Reply
from tests.unit.llm.virtual_time import VirtualTime

GOOD = json.dumps({"choices": [{"message": {"content": "hi"}}]}).encode()
HELLO = [{"role": "user", "content": "hello"}]


class Written:
    def __init__(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.headers = headers or {}

    async def read(self, limit_bytes: int) -> bytes:
        return GOOD

    async def lines(self, limit_bytes: int) -> AsyncIterator[bytes]:
        yield GOOD

    async def close(self) -> None:
        pass


class Narrow:
    """A server of 50 ms that takes `most` calls at a time and refuses the others at once."""

    def __init__(self, time: VirtualTime, most: int, headers: Mapping[str, str] | None = None) -> None:
        self.time = time
        self.most = most
        self.refusal = Written(429, headers)
        self.in_flight = 0
        self.answered = 0
        self.refused_at_s: list[float] = []

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if self.in_flight >= self.most:
            self.refused_at_s.append(self.time.clock.monotonic_s())
            return self.refusal
        self.in_flight += 1
        try:
            await self.time.pause(0.05)
        finally:
            self.in_flight -= 1
        self.answered += 1
        return Written(200)

    async def aclose(self) -> None:
        pass


def provider(time: VirtualTime, transport: Narrow, calls_per_minute: int | None = None) -> OpenAICompatible:
    return OpenAICompatible(
        ModelServer("http://model.test/v1", calls_per_minute=calls_per_minute),
        model="m",
        transport=transport,
        clock=time.clock,
        pause=time.pause,
        patience=Patience(draw=random.Random(1).uniform),
    )


async def batch(asked: OpenAICompatible, rows: int, at_once: int) -> list[str]:
    gate = asyncio.Semaphore(at_once)

    async def row() -> str:
        async with gate:
            return (await asked.chat(HELLO)).text

    return await asyncio.gather(*(row() for _ in range(rows)))


def test_a_batch_wider_than_its_server_finishes_and_does_not_hammer_it() -> None:
    time = VirtualTime()
    server = Narrow(time, most=8)
    began_s = time.clock.monotonic_s()
    texts = time.run(batch(provider(time, server), rows=500, at_once=64))
    assert texts == ["hi"] * 500
    assert server.answered == 500
    ideal_s = 500 / 8 * 0.05
    assert time.clock.monotonic_s() - began_s < 2 * ideal_s
    assert len(server.refused_at_s) < 150


def test_a_limit_that_is_set_is_never_exceeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLOOP_LLM_CALLS_AT_ONCE", "8")
    time = VirtualTime()
    server = Narrow(time, most=8)
    assert time.run(batch(provider(time, server), rows=100, at_once=64)) == ["hi"] * 100
    assert server.refused_at_s == []


def test_a_wait_asked_of_one_call_is_kept_by_all() -> None:
    time = VirtualTime()
    server = Narrow(time, most=8, headers={"retry-after": "5"})
    began_s = time.clock.monotonic_s()
    time.run(batch(provider(time, server), rows=40, at_once=40))
    first_s = server.refused_at_s[0]
    assert first_s == began_s
    again = [at_s for at_s in server.refused_at_s if at_s > first_s]
    assert all(at_s >= first_s + 5 for at_s in again)


def test_a_server_that_refuses_even_one_call_at_a_time_is_given_up() -> None:
    time = VirtualTime()
    server = Narrow(time, most=0)
    with pytest.raises(ModelUnavailable, match="429"):
        time.run(provider(time, server).chat(HELLO))
    assert len(server.refused_at_s) == 4


def test_calls_begin_no_faster_than_the_minute_allows() -> None:
    time = VirtualTime()
    server = Narrow(time, most=1000)
    began_s = time.clock.monotonic_s()
    time.run(batch(provider(time, server, calls_per_minute=60), rows=31, at_once=31))
    assert time.clock.monotonic_s() - began_s == pytest.approx(30, abs=1.1)


def test_one_round_of_refusals_halves_the_limit_once() -> None:
    async def work() -> float:
        pace = Pace(FakeClock())
        turns = [await pace.enter() for _ in range(16)]
        for turn in turns:
            pace.refused(turn, None)
        return pace.limit

    assert asyncio.run(work()) == 8


def test_the_limit_grows_by_one_for_each_round_that_succeeds() -> None:
    async def work() -> list[float]:
        pace = Pace(FakeClock())
        pace.limit = 8
        for _ in range(8):
            await pace.enter()
        for _ in range(8):
            pace.succeeded()
        reached = pace.limit
        pace.in_flight = 1
        pace.succeeded()
        return [reached, pace.limit]

    reached, later = asyncio.run(work())
    assert reached == pytest.approx(8.95, abs=0.1)
    assert later == reached


def test_a_place_given_to_a_call_that_was_cancelled_goes_to_the_next() -> None:
    async def work() -> int:
        pace = Pace(FakeClock())
        pace.limit = 1
        await pace.enter()
        first, second = asyncio.create_task(pace.enter()), asyncio.create_task(pace.enter())
        await asyncio.sleep(0)
        pace.leave()  # the first is given its place, and cancelled before it takes it
        first.cancel()
        await second
        assert first.cancelled()
        return pace.in_flight

    assert asyncio.run(work()) == 1
