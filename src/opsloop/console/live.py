"""Live pages: what a topic looks like now, and one stream that tells when it looks otherwise.

One look per process and tick serves every open page: a page names topics, and listeners share the messages. A message
is the whole state of a topic, so a listener that missed some needs only the newest. Its id is this process's epoch and
a number; a listener that comes back with an id gets what changed since, and everything when the process is another.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
import structlog
from fastapi import FastAPI, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from opsloop.core.caller import system
from opsloop.core.errors import InvalidInput, OpsloopError
from opsloop.core.web.dependencies import Asking
from opsloop.core.web.router import Router
from opsloop.core.workspace import UnitOfWork, Workspace

log = structlog.get_logger()
router = Router(include_in_schema=False)
TICK_S = 1.0
"""Between two looks, in seconds, at least."""
REST_PER_LOOK = 30.0
"""How much longer than a look computes the pause after it is: looking costs at most a thirtieth of a core."""
LONGEST_REST_S = 5.0
"""What a page is behind at most, in seconds, whatever a look costs."""
GLANCE_S = 0.25
"""How often a process that looks sees that it is to stop, in seconds."""
HEARTBEAT_S = 15.0
MAX_TOPICS = 64
BY = system("console")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A topic now: texts by the key under which a page shows them, and the shape of the page around them."""

    values: Mapping[str, str]
    shape: str = ""


Look = Callable[[UnitOfWork, str], Snapshot]
_LOOKS: dict[str, Look] = {}


def topic(kind: str) -> Callable[[Look], Look]:
    """Register how topics of a kind look; `endpoint:chat` is the kind `endpoint` with the argument `chat`."""

    def register(look: Look) -> Look:
        _LOOKS[kind] = look
        return look

    return register


@dataclass(frozen=True, slots=True)
class _Message:
    number: int
    body: bytes


@dataclass(eq=False)
class _Listener:
    topics: tuple[str, ...]
    seen: int
    news: asyncio.Event = field(default_factory=asyncio.Event)


def rest_s(look_cpu_s: float) -> float:
    """The pause after a look, in seconds, from the seconds of CPU it took."""
    return min(max(TICK_S, REST_PER_LOOK * look_cpu_s), LONGEST_REST_S)


class Feed:
    """The looks of one process. Everything but the look itself runs on the event loop."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._epoch = workspace.ids.new("feed")
        self._messages: dict[str, _Message] = {}
        self._number = 0
        self._listeners: set[_Listener] = set()
        self._wanted = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    async def listen(self, topics: Sequence[str], last_id: str = "") -> AsyncIterator[bytes]:
        """Messages as server-sent events, until the platform stops."""
        listener = _Listener(tuple(topics), self._number_of(last_id))
        self._listeners.add(listener)
        if any(name not in self._messages for name in topics):
            self._wanted.set()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_again_and_again())
        try:
            yield b"retry: 2000\n\n"
            while not self._workspace.stopping.is_set():
                for text in self._news(listener):
                    yield text
                try:
                    async with asyncio.timeout(HEARTBEAT_S):
                        await listener.news.wait()
                except TimeoutError:
                    yield b": still here\n\n"
                listener.news.clear()
        finally:
            self._listeners.discard(listener)

    def _news(self, listener: _Listener) -> list[bytes]:
        found = [self._messages[name] for name in listener.topics if name in self._messages]
        fresh = sorted((each for each in found if each.number > listener.seen), key=lambda each: each.number)
        if fresh:
            listener.seen = fresh[-1].number
        return [b"id: %s-%d\ndata: %s\n\n" % (self._epoch.encode(), each.number, each.body) for each in fresh]

    def _number_of(self, last_id: str) -> int:
        epoch, _, number = last_id.rpartition("-")
        return int(number) if epoch == self._epoch and number.isdecimal() else 0

    async def _look_again_and_again(self) -> None:
        while self._listeners and not self._workspace.stopping.is_set():
            self._wanted.clear()
            wanted = sorted({name for listener in self._listeners for name in listener.topics})
            self._messages = {name: each for name, each in self._messages.items() if name in wanted}
            found, cpu_s = await run_in_threadpool(self._look, wanted)
            self._compare(found)
            await self._rest(rest_s(cpu_s))
        for listener in self._listeners:
            listener.news.set()

    async def _rest(self, pause_s: float) -> None:
        """Until the next look is due, somebody new listens, or the platform stops."""
        until_s = time.monotonic() + pause_s
        while time.monotonic() < until_s and not self._wanted.is_set() and not self._workspace.stopping.is_set():
            await asyncio.sleep(GLANCE_S)

    def _look(self, topics: Sequence[str]) -> tuple[dict[str, Snapshot], float]:
        """The topics now, and the seconds of CPU it took: to wait for a busy machine costs nobody anything."""
        started_s = time.thread_time()
        found: dict[str, Snapshot] = {}
        for name in topics:
            kind, _, argument = name.partition(":")
            try:
                with self._workspace.reading(BY) as uow:
                    found[name] = _LOOKS[kind](uow, argument)
            except OpsloopError:  # the thing is not there, or the database is away: the topic says nothing for now
                continue
            except Exception:  # a rim: a look that is broken must not end the others
                log.exception("look_failed", topic=name)
        return found, time.thread_time() - started_s

    def _compare(self, found: Mapping[str, Snapshot]) -> None:
        for name, snapshot in found.items():
            body = msgspec.json.encode({"topic": name, "values": snapshot.values, "shape": snapshot.shape})
            if name not in self._messages or self._messages[name].body != body:
                self._number += 1
                self._messages[name] = _Message(self._number, body)
        for listener in self._listeners:
            listener.news.set()


def feed_of(app: FastAPI) -> Feed:
    """The feed of an application; made when somebody first listens."""
    if not hasattr(app.state, "console_feed"):
        app.state.console_feed = Feed(app.state.workspace)
    feed = app.state.console_feed
    assert isinstance(feed, Feed)
    return feed


@router.get("/api/events")
async def events(
    request: Request,
    _caller: Asking,
    topics: Annotated[str, Query(max_length=8_000)] = "",
    last_event_id: Annotated[str, Header(max_length=100)] = "",
) -> StreamingResponse:
    """What the topics look like, now and whenever it changes; topics are separated by commas."""
    names = [name for name in topics.split(",") if name]
    if len(names) > MAX_TOPICS:
        raise InvalidInput(f"topics: {len(names)} of them; wanted at most {MAX_TOPICS}", field="topics")
    for name in names:
        if name.partition(":")[0] not in _LOOKS:
            raise InvalidInput(field="topics", value=name, wanted=f"one of {', '.join(sorted(_LOOKS))}")
    messages = feed_of(request.app).listen(names, last_event_id)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(messages, media_type="text/event-stream", headers=headers)
