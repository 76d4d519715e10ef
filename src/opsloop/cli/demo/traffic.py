"""Questions of many users to an endpoint, over HTTP, as an application would ask them.

A user asks a question; some ask a second one that follows up on the answer, with the conversation so far. The stream is
bounded in number and rate and stops when it is told to.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

TIMEOUT_S = 30.0
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class TrafficWanted:
    """Who asks what: `follow_up_share` of the conversations (0 to 1) go on after the first answer."""

    questions: Sequence[str]
    follow_ups: Sequence[str]
    follow_up_share: float
    users: int
    requests: int
    per_second: float


@dataclass(slots=True)
class Seen:
    """What the callers saw."""

    asked: int = 0
    answered: int = 0
    abstained: int = 0
    errors: int = 0
    first_error: str | None = None
    by_release: dict[str, int] = field(default_factory=dict)


class Traffic:
    def __init__(self, url: str, endpoint: str, wanted: TrafficWanted, *, token: str | None, seed: int = 7) -> None:
        self._url = url
        self._endpoint = endpoint
        self._wanted = wanted
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._random = random.Random(seed)  # noqa: S311 (repeatable traffic, no secrets)
        self.seen = Seen()

    def run(self, *, until: Callable[[], bool]) -> Seen:
        """Ask until the requests are used up or `until` says so; returns what was seen."""
        asyncio.run(self._run(until))
        return self.seen

    async def _run(self, until: Callable[[], bool]) -> None:
        places = asyncio.Semaphore(AT_ONCE)
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
        async with (
            httpx.AsyncClient(base_url=self._url, headers=self._headers, timeout=TIMEOUT_S, limits=limits) as http,
            asyncio.TaskGroup() as conversations,
        ):
            while self.seen.asked < self._wanted.requests and not until():
                await places.acquire()
                task = conversations.create_task(self._converse(http))
                task.add_done_callback(lambda _: places.release())
                await asyncio.sleep(self._random.expovariate(self._wanted.per_second))

    async def _converse(self, http: httpx.AsyncClient) -> None:
        """One question of one user, and perhaps a second one."""
        user = f"user-{self._random.randrange(self._wanted.users)}"
        messages = [{"role": "user", "content": self._random.choice(self._wanted.questions)}]
        answer = await self._ask(http, user, messages)
        if answer is not None and self._random.random() < self._wanted.follow_up_share:
            follow_up = {"role": "user", "content": self._random.choice(self._wanted.follow_ups)}
            await self._ask(http, user, [*messages, {"role": "assistant", "content": answer}, follow_up])

    async def _ask(self, http: httpx.AsyncClient, user: str, messages: list[dict[str, str]]) -> str | None:
        self.seen.asked += 1
        body = {"model": self._endpoint, "messages": messages, "user": user}
        try:
            response = await http.post("/v1/chat/completions", json=body)
            response.raise_for_status()
            document: dict[str, Any] = response.json()
        except httpx.HTTPError as error:
            self.seen.errors += 1
            self.seen.first_error = self.seen.first_error or str(error)
            return None
        said = document.get("opsloop", {})
        self.seen.answered += 1
        self.seen.abstained += bool(said.get("abstained"))
        release = str(said.get("release", "unknown"))
        self.seen.by_release[release] = self.seen.by_release.get(release, 0) + 1
        content = document["choices"][0]["message"]["content"]
        return content if isinstance(content, str) else None
