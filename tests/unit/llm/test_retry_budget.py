"""Few calls are tried again when many fail, and some always are."""

from __future__ import annotations

from typing import Any

import pytest

from opsloop.core.clock import FakeClock
from opsloop.llm import live
from opsloop.llm.errors import ModelUnavailable
from opsloop.llm.openai_compatible import OpenAICompatible
from opsloop.llm.retry_budget import LEAST_PER_S, WINDOW_S, RetryBudget
from opsloop.llm.retrying import Patience
from opsloop.llm.servers import ModelServer
from opsloop.llm.transport import TransportFailed
from tests.unit.llm.virtual_time import VirtualTime

QUIET = LEAST_PER_S * WINDOW_S


def taken(budget: RetryBudget, tries: int) -> int:
    return sum(budget.takes_retry() for _ in range(tries))


def test_a_quiet_server_has_a_few_retries_a_second() -> None:
    assert taken(RetryBudget(FakeClock()), 1_000) == QUIET


def test_a_busy_server_has_a_fifth_more() -> None:
    budget = RetryBudget(FakeClock())
    for _ in range(1_000):
        budget.asked()
    assert taken(budget, 1_000) == QUIET + 200


def test_what_is_older_than_the_window_counts_no_more() -> None:
    clock = FakeClock()
    budget = RetryBudget(clock)
    for _ in range(1_000):
        budget.asked()
    assert taken(budget, 1_000) == QUIET + 200
    clock.advance(WINDOW_S - 1)
    assert taken(budget, 1_000) == 0
    clock.advance(1)
    assert taken(budget, 1_000) == QUIET


class Away:
    """A transport to nowhere, which counts."""

    def __init__(self) -> None:
        self.asked = 0

    async def post(self, *_: Any) -> Any:
        self.asked += 1
        raise TransportFailed("nobody is there")

    async def aclose(self) -> None: ...


@pytest.mark.parametrize("is_live", [True, False])
def test_live_calls_to_a_dead_server_are_tried_as_often_as_its_budget_says(is_live: bool) -> None:
    time, transport, told = VirtualTime(), Away(), list[str]()
    server = ModelServer(f"http://away-{is_live}.test/v1")  # each has a budget of its own
    patience = Patience(attempts=2, first_wait_s=0.0)
    provider = OpenAICompatible(
        server, model="m", patience=patience, clock=time.clock, transport=transport, pause=time.pause
    )

    async def ask(times: int) -> None:
        for _ in range(times):
            with pytest.raises(ModelUnavailable):
                await provider.chat([{"role": "user", "content": "hello"}])

    async def work() -> None:
        if not is_live:
            await ask(200)
            return
        with live.living(live.Live(told.append)):
            await ask(200)

    time.run(work())
    assert transport.asked == (200 + QUIET + 40 if is_live else 400)
    assert told.count("retry") == (QUIET + 40 if is_live else 0)
    assert told.count("retry_withheld") == (160 - QUIET if is_live else 0)
    assert live.current_live.get() is None
