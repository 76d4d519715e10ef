"""A budget that is asked before each row."""

from __future__ import annotations

import asyncio

import pytest

from opsloop.core.clock import FakeClock
from opsloop.evaluation.budget import Account, parse
from opsloop.evaluation.errors import ExperimentInvalid
from opsloop.evaluation.models import Budget
from opsloop.flows.results import TokenUse

ROW = TokenUse(prompt=60, completion=40, calls=1, priced_usd=0.01)


async def started(account: Account, *, at_once: int, used: TokenUse = ROW, most: int = 1_000) -> tuple[int, str | None]:
    """How many rows were started by workers that take what they may, and why no more were."""
    rows, why = 0, None

    async def work() -> None:
        nonlocal rows, why
        while rows < most:
            refused = await account.admit()
            if refused is not None:
                why = refused
                return
            rows += 1
            await asyncio.sleep(0)
            await account.settle(used)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())
    return rows, why


@pytest.mark.parametrize("at_once", [1, 7, 64])
@pytest.mark.parametrize(
    ("budget", "rows"),
    [(Budget(tokens=1_000), 10), (Budget(calls=23), 23), (Budget(usd=0.055), 5), (Budget(tokens=950, calls=50), 9)],
)
def test_rows_of_one_size_never_use_more_than_there_is(budget: Budget, rows: int, at_once: int) -> None:
    account = Account(budget, FakeClock())
    found, why = asyncio.run(started(account, at_once=at_once))
    assert found == rows
    assert why is not None
    assert "was used up" in why


def test_without_a_budget_all_rows_run() -> None:
    assert asyncio.run(started(Account(None, FakeClock()), at_once=4, most=50)) == (50, None)


def test_the_time_that_is_over_ends_a_run() -> None:
    clock = FakeClock()
    account = Account(Budget(minutes=1.0), clock)

    async def run() -> list[str | None]:
        first = await account.admit()
        await account.settle(ROW)
        clock.advance(seconds=61)
        return [first, await account.admit()]

    assert asyncio.run(run()) == [None, "the budget of 1 minutes was used up"]


def test_money_that_cannot_be_counted_ends_a_run() -> None:
    account = Account(Budget(usd=5.0), FakeClock())
    rows, why = asyncio.run(started(account, at_once=8, used=TokenUse(prompt=1, calls=1, unpriced_calls=1)))
    assert rows == 1
    assert why is not None
    assert "price of a model is not known" in why


@pytest.mark.parametrize(
    ("values", "expected"),
    [({}, "budget.tokens"), ({"tokens": 0}, "above 0"), ({"calls": 1.5}, "a whole number"), ({"token": 1}, "'tokens'")],
)
def test_a_wrong_budget_is_refused(values: dict[str, object], expected: str) -> None:
    with pytest.raises(ExperimentInvalid, match=expected):
        parse(values, "budget")
