"""The stream of live pages: one look for all, complete messages, an end when the platform stops."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from opsloop.console import live
from opsloop.console.live import Feed, Snapshot
from opsloop.core.workspace import UnitOfWork
from tests.integration.console.conftest import Platform, browser


def message(text: bytes) -> tuple[str, dict[str, Any]]:
    """The id and the document of a server-sent event."""
    lines = dict(line.split(": ", 1) for line in text.decode().strip().splitlines())
    return lines["id"], json.loads(lines["data"])


async def next_message(messages: AsyncIterator[bytes]) -> tuple[str, dict[str, Any]]:
    async with asyncio.timeout(60):
        async for text in messages:
            if text.startswith(b"id:"):
                return message(text)
    raise AssertionError("the stream ended")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "TICK_S", 0.01)
    monkeypatch.setattr(live, "GLANCE_S", 0.01)
    monkeypatch.setattr(live, "REST_PER_LOOK", 1.0)


def test_a_listener_hears_what_is_and_then_what_changes(filled: Platform) -> None:
    async def listen() -> None:
        feed = Feed(filled.workspace)
        messages = feed.listen(["overview"])
        _, first = await next_message(messages)
        assert first["values"]["support-chat/rate"].endswith("/s")
        await asyncio.to_thread(filled.ask, "support-chat", 300)
        _, second = await next_message(messages)
        assert second["values"]["support-chat/rate"] != first["values"]["support-chat/rate"]
        assert second["shape"] == first["shape"]
        filled.workspace.stopping.set()

    asyncio.run(listen())


def test_a_rollout_that_moved_gives_the_page_another_shape(filled: Platform) -> None:
    async def listen() -> None:
        messages = Feed(filled.workspace).listen([f"rollout:{filled.ids['running']}"])
        _, first = await next_message(messages)
        await asyncio.to_thread(_roll_back, filled)
        _, second = await next_message(messages)
        assert second["shape"] != first["shape"]
        filled.workspace.stopping.set()

    asyncio.run(listen())


def _roll_back(platform: Platform) -> None:
    from opsloop.releases import rollouts
    from tests.integration.console.conftest import ADMIN

    with platform.workspace.writing(ADMIN) as uow:
        rollouts.roll_back(uow, platform.ids["running"])


def test_many_listeners_share_one_look(filled: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []
    real = live._LOOKS["overview"]

    def counted(uow: UnitOfWork, argument: str) -> Snapshot:
        looks.append(argument)
        return real(uow, argument)

    monkeypatch.setitem(live._LOOKS, "overview", counted)

    async def listen() -> None:
        feed = Feed(filled.workspace)
        await next_message(feed.listen(["overview"]))
        before = len(looks)
        heard = await asyncio.gather(*(next_message(feed.listen(["overview"])) for _ in range(40)))
        assert len({id for id, _ in heard}) == 1
        assert len(looks) - before < 40
        filled.workspace.stopping.set()

    asyncio.run(listen())


def test_a_listener_that_comes_back_hears_only_what_it_missed(filled: Platform) -> None:
    async def listen() -> None:
        feed = Feed(filled.workspace)
        topics = ["overview", f"rollout:{filled.ids['rolled_back']}"]
        keeps_it_going = feed.listen(topics)
        await next_message(keeps_it_going)
        last, _ = await next_message(keeps_it_going)
        back = feed.listen(topics, last)
        await asyncio.to_thread(filled.ask, "support-chat", 500)
        _, heard = await next_message(back)
        assert heard["topic"] == "overview"
        other_process = feed.listen(topics, "feed_other-99")
        assert {(await next_message(other_process))[1]["topic"] for _ in topics} == set(topics)
        filled.workspace.stopping.set()

    asyncio.run(listen())


def test_the_stream_ends_when_the_platform_stops(filled: Platform) -> None:
    async def listen() -> None:
        feed = Feed(filled.workspace)
        messages = feed.listen(["overview"])
        await next_message(messages)
        filled.workspace.stopping.set()
        async with asyncio.timeout(60):
            async for _ in messages:
                pass
        assert feed.listeners == 0

    asyncio.run(listen())


def test_a_topic_whose_thing_is_not_there_keeps_the_others_going(filled: Platform) -> None:
    async def listen() -> None:
        messages = Feed(filled.workspace).listen(["rollout:nothing", "overview"])
        assert (await next_message(messages))[1]["topic"] == "overview"
        filled.workspace.stopping.set()

    asyncio.run(listen())


@pytest.mark.parametrize("topics", ["weather", "overview,%3Cscript%3E", ",".join(["overview"] * 65), "x" * 9000])
def test_topics_nobody_knows_are_refused(platform: Platform, topics: str) -> None:
    with browser(platform.workspace) as client:
        assert client.get(f"/api/events?topics={topics}").status_code == 422
