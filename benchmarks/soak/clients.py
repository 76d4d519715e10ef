"""Callers behind a balancer: what they ask, what they got, and what was acknowledged."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from soak import personal

TRIES = 6
PAUSE_S = 0.02


@dataclass
class Seen:
    """What all callers saw; whoever decides what could be answered sets `database_is_there` and `mode`."""

    answered: dict[str, str] = field(default_factory=dict)
    """Ids of answered requests, and what was asked: these must be in the records."""
    feedback: list[str] = field(default_factory=list)
    """Ids of feedback that was acknowledged with 201."""
    asked: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    leaked: int = 0
    """Answers that held personal data the model had written."""
    database_is_there: bool = True

    def fail(self, kind: str, why: str) -> None:
        self.failed[f"{kind}: {why[:60]}"] += 1
        self.examples.setdefault(f"{kind}: {why[:60]}", why)


class Balancer:
    """Takes one gateway after the other; one that cannot be reached, or dies before its first byte, is passed over."""

    def __init__(self, urls: list[str]) -> None:
        self._urls = urls
        self._next = 0

    def choose(self) -> str:
        self._next += 1
        return self._urls[self._next % len(self._urls)]


async def call(number: int, balancer: Balancer, seen: Seen, stopping: asyncio.Event, seed: int) -> None:
    """One caller: questions in a row, whole and streamed, documents, and a word on some of the answers."""
    source = random.Random(seed * 1000 + number)
    timeout = httpx.Timeout(60, connect=5)
    async with httpx.AsyncClient(timeout=timeout, trust_env=False, verify=False) as session:
        while not stopping.is_set():
            drawn = source.random()
            if drawn < 0.5:
                await _whole(session, balancer, seen, source)
            elif drawn < 0.85:
                await _streamed(session, balancer, seen, source)
            elif drawn < 0.93:
                await _query(session, balancer, seen, source)
            else:
                await _word(session, balancer, seen, source)
            await asyncio.sleep(PAUSE_S)


async def _whole(session: httpx.AsyncClient, balancer: Balancer, seen: Seen, source: random.Random) -> None:
    body = {"model": "chat", "messages": [{"role": "user", "content": f"Refund? {personal.some(source)}"}]}
    await _asked(session, balancer, seen, "whole", "/v1/chat/completions", body)


async def _streamed(session: httpx.AsyncClient, balancer: Balancer, seen: Seen, source: random.Random) -> None:
    body = {
        "model": "chat",
        "messages": [{"role": "user", "content": f"Refund? {personal.some(source)}"}],
        "stream": True,
    }
    await _asked(session, balancer, seen, "streamed", "/v1/chat/completions", body)


async def _query(session: httpx.AsyncClient, balancer: Balancer, seen: Seen, source: random.Random) -> None:
    body = {"question": f"How long does a refund take? {personal.some(source)}"}
    await _asked(session, balancer, seen, "query", "/query", body)


async def _word(session: httpx.AsyncClient, balancer: Balancer, seen: Seen, source: random.Random) -> None:
    if not seen.answered:
        return
    request_id = source.choice(list(seen.answered)[-200:])
    body = {"request_id": request_id, "thumb": source.choice(["up", "down"]), "comment": personal.some(source)}
    await _asked(session, balancer, seen, "feedback", "/feedback", body)


async def _asked(
    session: httpx.AsyncClient, balancer: Balancer, seen: Seen, kind: str, path: str, body: Mapping[str, object]
) -> None:
    """Ask until a gateway answers; what it answered is judged once."""
    seen.asked[kind] += 1
    was_there = seen.database_is_there
    why = "no gateway could be reached"
    for number in range(TRIES):
        said = b""
        try:
            async with session.stream("POST", f"{balancer.choose()}{path}", json=body) as answer:
                async for piece in answer.aiter_bytes():
                    said += piece
                _judge(kind, answer, said, seen, was_there=was_there)
                return
        except (httpx.HTTPError, OSError) as error:
            why = repr(error)
            if kind == "feedback" and not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                break  # it may have been taken: a balancer does not send it again
            if said:
                seen.excused["cut off with its gateway after it had begun"] += 1
                return
            await asyncio.sleep(0.05 * number)
    if kind == "feedback" and not why.startswith("Connect"):
        seen.excused["feedback cut off with its gateway"] += 1
    else:
        seen.fail(kind, why)


def _judge(kind: str, answer: httpx.Response, said: bytes, seen: Seen, *, was_there: bool) -> None:
    if any(pattern.search(said) for pattern in personal.PATTERNS.values()) and kind != "query":
        seen.leaked += 1
    needs_database = kind in ("query", "feedback")
    if answer.status_code in (503, 504) and needs_database and not (was_there and seen.database_is_there):
        seen.excused["needs the database, which was away"] += 1
    elif answer.status_code not in (200, 201):
        seen.fail(kind, f"{answer.status_code} {said[:300].decode(errors='replace')}")
    elif kind == "feedback":
        seen.feedback.append(json.loads(said)["id"])
    elif kind == "streamed" and not said.rstrip().endswith(b"[DONE]"):
        if b'"error"' in said and said.count(b"data:") > 1:
            seen.excused["the model broke off after its answer had begun"] += 1
        else:
            seen.fail(kind, f"not whole: {said[-300:].decode(errors='replace')}")
    elif kind != "query":
        seen.answered[answer.headers["x-request-id"]] = kind
