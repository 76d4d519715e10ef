"""A call that takes longer than nearly all do is asked a second time; the first answer counts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from opsloop.core.clock import FakeClock
from opsloop.llm.breaker import Breaker
from opsloop.llm.failover import Failover, Server
from opsloop.llm.hedging import FEWEST, HedgePolicy, Hedger
from opsloop.llm.offline import OfflineEngine
from tests.unit.llm.test_failover import Scripted

AT_ONCE = HedgePolicy(0.0, 1.0)
Ask = Callable[[], Awaitable[str]]


class Calls:
    """Calls that answer, fail, or hang until they are cancelled."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.cancelled: list[str] = []

    def that(self, name: str, *, hangs: bool = False, error: Exception | None = None) -> Ask:
        async def ask() -> str:
            self.begun.append(name)
            try:
                if hangs:
                    await asyncio.Event().wait()
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                self.cancelled.append(name)
                raise
            if error is not None:
                raise error
            return name

        return ask


def hedged(hedger: Hedger, first: Ask, second: Ask) -> tuple[str, list[str]]:
    told: list[str] = []
    return asyncio.run(_bounded(hedger.first_of(first, second, told.append))), told


async def _bounded(work: Awaitable[str]) -> str:
    async with asyncio.timeout(60):
        return await work


def test_a_slow_call_loses_to_the_second_and_is_cancelled() -> None:
    calls = Calls()
    answer, told = hedged(Hedger(AT_ONCE, FakeClock()), calls.that("first", hangs=True), calls.that("second"))
    assert answer == "second"
    assert told == ["hedge", "hedge_won"]
    assert calls.cancelled == ["first"]


def test_a_quick_call_is_not_asked_twice() -> None:
    calls = Calls()
    hedger = Hedger(HedgePolicy(30.0, 1.0), FakeClock())
    assert hedged(hedger, calls.that("first"), calls.that("second")) == ("first", [])
    assert calls.begun == ["first"]


def test_a_second_call_that_fails_leaves_the_first_its_time() -> None:
    calls = Calls()
    release = asyncio.Event()

    async def first() -> str:
        await release.wait()
        return "first"

    async def second() -> str:
        release.set()
        raise ValueError("no")

    answer, told = hedged(Hedger(AT_ONCE, FakeClock()), first, second)
    assert (answer, told) == ("first", ["hedge"])
    assert calls.begun == []


def test_when_both_fail_the_first_call_says_why() -> None:
    calls = Calls()
    gate = asyncio.Event()

    async def first() -> str:
        await gate.wait()
        raise LookupError("first")

    async def second() -> str:
        gate.set()
        raise ValueError("second")

    with pytest.raises(LookupError, match="first"):
        hedged(Hedger(AT_ONCE, FakeClock()), first, second)
    assert calls.cancelled == []


def test_whoever_goes_takes_both_calls_with_him() -> None:
    calls = Calls()

    async def work() -> None:
        hedger = Hedger(AT_ONCE, FakeClock())
        both = calls.that("first", hangs=True), calls.that("second", hangs=True)
        asking = asyncio.create_task(hedger.first_of(*both, lambda _: None))
        while len(calls.begun) < 2:
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    asyncio.run(work())
    assert sorted(calls.cancelled) == ["first", "second"]


def test_no_more_than_their_share_are_asked_twice() -> None:
    hedger = Hedger(HedgePolicy(0.0, 0.1), FakeClock())
    counted = 0
    for _ in range(200):
        calls = Calls()
        gate = asyncio.Event()

        async def slow(gate: asyncio.Event = gate) -> str:
            async with asyncio.timeout(0.001):
                await gate.wait()
            return "never"

        try:
            _, told = hedged(hedger, slow, calls.that("second"))
        except TimeoutError:
            told = ["hedge_withheld"]
        counted += told.count("hedge")
    assert 1 <= counted <= 20


def test_until_enough_calls_were_timed_nothing_is_known_of_the_slowest() -> None:
    clock = FakeClock()
    hedger = Hedger(HedgePolicy(None, 0.05), clock)
    for number in range(FEWEST):
        assert hedger.after_s() is None

        async def takes(seconds: float = number + 1.0) -> str:
            clock.advance(seconds)
            return "done"

        assert hedged(hedger, takes, takes) == ("done", [])
    assert hedger.after_s() == FEWEST  # the 20th of 20, above which 5 in 100 lie


def test_the_second_call_goes_to_the_next_model_server_and_never_to_the_offline_engine() -> None:
    def server(name: str, provider: object) -> Server:
        return Server(name, provider, Breaker(FakeClock()))  # type: ignore[arg-type]

    first, second, offline = Scripted("a"), Scripted("b"), OfflineEngine()
    several = Failover([server("a", first), server("b", second), server("c", offline)], begins_within_s=1.0)
    beside = several.beside
    assert beside is not None
    assert asyncio.run(beside.chat([])).text == "b"
    assert first.asked == []
    assert Failover([server("a", first), server("c", offline)], begins_within_s=1.0).beside is None
