import asyncio
import gc
import threading
import time
import weakref
from contextvars import ContextVar

import pytest

from opsloop.flows import threads as node_threads
from opsloop.flows.threads import NodeThreads, Outcome, ThreadsLost

word: ContextVar[str] = ContextVar("word", default="unset")


def test_a_call_gives_its_value_or_what_it_raised() -> None:
    async def calls() -> list[Outcome]:
        threads = NodeThreads(limit=1)
        return [await threads.run(int, {}), await threads.run(lambda: next(iter([])), {})]

    good, bad = asyncio.run(calls())
    assert good == Outcome(0)
    assert isinstance(bad.error, StopIteration)


def test_a_call_sees_its_callers_context() -> None:
    async def call() -> object:
        word.set("mine")
        return (await NodeThreads().run(word.get, {})).value

    assert asyncio.run(call()) == "mine"


def test_more_calls_than_threads_wait_their_turn() -> None:
    async def calls() -> int:
        threads = NodeThreads(limit=3)
        names = await asyncio.gather(*(threads.run(threading.get_ident, {}) for _ in range(100)))
        return len({outcome.value for outcome in names})

    assert asyncio.run(calls()) <= 3


def test_calls_up_to_the_limit_run_at_once() -> None:
    async def calls() -> None:
        threads, barrier = NodeThreads(limit=4), threading.Barrier(4)
        outcomes = await asyncio.gather(*(threads.run(barrier.wait, {"timeout": 20}) for _ in range(4)))
        assert all(outcome.error is None for outcome in outcomes)

    asyncio.run(calls())


def test_calls_that_never_return_do_not_hold_up_the_others_until_there_are_too_many() -> None:
    release = threading.Event()

    async def give_up(threads: NodeThreads) -> None:
        started = threading.Event()

        def stuck() -> None:
            started.set()
            release.wait()

        task = asyncio.create_task(threads.run(stuck, {}))
        await asyncio.to_thread(started.wait)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def calls() -> None:
        threads = NodeThreads(limit=1, lost_limit=2)
        await give_up(threads)
        assert (await threads.run(int, {})).value == 0
        await give_up(threads)
        with pytest.raises(ThreadsLost, match="2 calls to synchronous nodes never returned"):
            await threads.run(int, {})

    try:
        asyncio.run(calls())
    finally:
        release.set()


def test_a_call_given_up_before_it_began_never_begins() -> None:
    called: list[int] = []

    async def calls() -> None:
        threads, release = NodeThreads(limit=1), threading.Event()
        first = asyncio.create_task(threads.run(release.wait, {}))
        second = asyncio.create_task(threads.run(lambda: called.append(2), {}))
        await asyncio.gather(asyncio.to_thread(int))
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        release.set()
        await first
        await threads.run(lambda: called.append(3), {})

    asyncio.run(calls())
    assert called == [3]


class Value:
    """Something that a call reads or gives."""


def test_an_idle_thread_keeps_nothing_of_its_last_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_threads, "IDLE_S", 600.0)
    threads = NodeThreads(limit=1)
    known: list[weakref.ref[Value]] = []

    def call(read: Value) -> Value:
        given = Value()
        known.extend((weakref.ref(read), weakref.ref(given)))
        return given

    async def calls() -> None:
        await threads.run(call, {"read": Value()})

    asyncio.run(calls())
    for _ in range(600):
        gc.collect()
        if all(each() is None for each in known):
            return
        time.sleep(0.1)
    raise AssertionError("an idle thread keeps what its last call read or gave")
