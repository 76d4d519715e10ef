"""What is held for a call to a model, and what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from opsloop.llm import spending
from opsloop.llm.errors import ModelRefused
from opsloop.llm.port import Usage
from opsloop.llm.spending import IMAGE_MOST_TOKENS, billed, most_of, most_of_texts


class Purse:
    """Holds everything and remembers it."""

    def __init__(self) -> None:
        self.held: list[tuple[str, int, float | None]] = []
        self.settled: list[tuple[int, Any]] = []
        self.given_back = 0

    async def hold(self, model: str, tokens: int, usd: float | None) -> Purse:
        return self.hold_now(model, tokens, usd)

    def hold_now(self, model: str, tokens: int, usd: float | None) -> Purse:
        self.held.append((model, tokens, usd))
        return self

    def settle(self, tokens: int, usd: float) -> None:
        self.settled.append((tokens, usd))

    def give_back(self) -> None:
        self.given_back += 1


@pytest.fixture
def purse() -> Iterator[Purse]:
    made = Purse()
    token = spending.current_purse.set(made)
    yield made
    spending.current_purse.reset(token)


MESSAGES = [{"role": "user", "content": "hello"}]


def test_without_a_purse_nothing_is_reckoned() -> None:
    assert most_of("gpt-4o", MESSAGES, {}) is None


def test_the_most_is_every_byte_and_all_that_may_be_written(purse: Purse) -> None:
    most = most_of("gpt-4o", "x" * 1000, {"max_tokens": 50, "n": 2})
    assert most is not None
    assert (most.prompt, most.output) == (1000, 100)
    assert most.usd == pytest.approx(1000 * 2.5e-6 + 100 * 10e-6)
    assert most.likely == 250 + 100


def test_without_max_tokens_it_is_what_the_model_can_write(purse: Purse) -> None:
    known, unknown = most_of("gpt-4o-2024-08-06", "x", {}), most_of("house", "x", {})
    assert known is not None
    assert unknown is not None
    assert (known.output, unknown.output) == (16_384, 32_768)
    assert unknown.usd is None


def test_tools_and_images_count(purse: Purse) -> None:
    plain = most_of("gpt-4o", MESSAGES, {})
    tools = most_of("gpt-4o", MESSAGES, {"tools": [{"type": "function", "function": {"name": "x" * 100}}]})
    image = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:" + "A" * 10_000}}]}
    seen = most_of("gpt-4o", [image], {})
    assert plain is not None
    assert tools is not None
    assert seen is not None
    assert tools.prompt > plain.prompt + 100
    assert IMAGE_MOST_TOKENS < seen.prompt < IMAGE_MOST_TOKENS + 100


def test_embedding_writes_nothing(purse: Purse) -> None:
    most = most_of_texts("text-embedding-3-small", ["a" * 8, "b"])
    assert most is not None
    assert (most.output, most.likely) == (0, 3)


def ended(purse: Purse, *, error: BaseException | None = None, usage: Usage | None = None, pieces: Any = ()) -> None:
    async def call() -> None:
        async with billed(most_of("gpt-4o", "x" * 400, {"max_tokens": 100})) as bill:
            for piece in pieces:
                bill.came(piece)
            if error is not None:
                raise error
            bill.settle("gpt-4o", usage)

    if error is None:
        asyncio.run(call())
    else:
        with pytest.raises(type(error)):
            asyncio.run(call())


MOST_USD = 400 * 2.5e-6 + 100 * 10e-6


def test_a_call_costs_what_its_server_counted(purse: Purse) -> None:
    ended(purse, usage=Usage(90, 10))
    assert purse.settled == [(100, pytest.approx(90 * 2.5e-6 + 10 * 10e-6))]


def test_a_call_that_was_refused_is_given_back(purse: Purse) -> None:
    ended(purse, error=ModelRefused(base_url="u", status=400, reason="r"))
    assert (purse.settled, purse.given_back) == ([], 1)


def test_of_a_call_that_was_cut_off_all_stays_spent(purse: Purse) -> None:
    ended(purse, error=ValueError("whatever"))
    assert purse.settled == [(200, pytest.approx(MOST_USD))]


def test_of_a_stream_that_was_cut_off_the_prompt_and_what_came_are_spent(purse: Purse) -> None:
    ended(purse, error=ValueError("gone"), pieces=["x" * 40])
    [(tokens, usd)] = purse.settled
    assert tokens == 101 + 10
    assert usd < MOST_USD
