"""Budgets under many clients at once: never overspent, no refund lost, in one process and in several."""

from __future__ import annotations

import asyncio
import functools
import os
import random
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import ParamSpec

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from opsloop.core.caller import Caller
from opsloop.core.clock import FakeClock
from opsloop.core.errors import RateLimited
from opsloop.core.workspace import Workspace
from opsloop.limits import service
from opsloop.limits.account import Account
from opsloop.limits.errors import PriceMissing, QuotaSpent, RateReached
from opsloop.limits.models import NANO, Limit, Meter, Scope, Subject, Use
from opsloop.limits.pool import IDLE_S, Ask, Pool

P = ParamSpec("P")


def on_a_loop(test: Callable[P, Coroutine[None, None, None]]) -> Callable[P, None]:
    @functools.wraps(test)
    def run(*args: P.args, **named: P.kwargs) -> None:
        asyncio.run(test(*args, **named))

    return run


MAY = Subject(Scope.KEY, "ci")


@pytest.fixture
def pools(workspace: Workspace) -> Callable[[], Pool]:
    """Pools that read what is set, each as of a process of its own; their threads do not run: tests beat."""

    def made() -> Pool:
        pool = Pool(workspace)
        pool.refresh()
        return pool

    return made


def put(workspace: Workspace, by: Caller, limit: Limit, scope: Scope = Scope.KEY, name: str = "ci") -> None:
    with workspace.writing(by) as uow:
        service.put(uow, scope, name, limit)


def uses(workspace: Workspace, by: Caller) -> dict[Meter, Use]:
    with workspace.reading(by) as uow:
        return {each.meter: each for each in service.used(uow)}


def account(pool: Pool) -> Account:
    return Account(pool, pool.of("ci", "chat"))


async def client(pool: Pool, draw: random.Random, spent: list[float]) -> None:
    """Makes calls whose price and fate are random; notes what each cost."""
    for _ in range(12):
        most = draw.uniform(0.001, 0.2)
        try:
            held = await account(pool).hold("m", draw.randint(1, 500), most)
        except RateLimited:
            continue
        await asyncio.sleep(0)
        if draw.random() < 0.3:
            held.give_back()
        else:
            cost = draw.uniform(0.0, most)
            held.settle(1, cost)
            spent.append(round(cost * NANO) / NANO)


@hypothesis_settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(seed=st.integers(0, 2**32), budget=st.floats(0.05, 5.0))
def test_64_clients_never_spend_more_than_the_budget_and_no_refund_is_lost(
    workspace: Workspace, admin: Caller, clock: FakeClock, seed: int, budget: float
) -> None:
    clock.advance(86_400)  # each example has a day of its own
    put(workspace, admin, Limit(usd_per_day=budget))
    pool = Pool(workspace)
    pool.refresh()
    spent: list[float] = []

    async def all_clients() -> None:
        await asyncio.gather(*(client(pool, random.Random(seed + each), spent) for each in range(64)))

    asyncio.run(all_clients())
    assert sum(spent) <= budget + 1e-6
    pool.stop()
    use = uses(workspace, admin)[Meter.DAY]
    assert use.held == 0
    assert use.used == pytest.approx(sum(spent), abs=1e-6)
    # What is left can be spent to the last part: nothing that was given back is missing.
    left = round(budget * NANO) - round(use.used * NANO)
    ask = Ask(MAY, Limit(usd_per_day=budget), Meter.DAY, left)
    pool.reserve_now([ask]).close()
    with pytest.raises(QuotaSpent):
        pool.reserve_now([Ask(MAY, Limit(usd_per_day=budget), Meter.DAY, left + 1)])
    pool.stop()


@on_a_loop
async def test_two_processes_share_one_budget(workspace: Workspace, admin: Caller, pools: Callable[[], Pool]) -> None:
    put(workspace, admin, Limit(usd_per_day=3.0))
    one, other = pools(), pools()
    spent: list[float] = []
    await asyncio.gather(
        *(client(pool, random.Random(at), spent) for at, pool in enumerate([one, other] * 16)),
    )
    assert 2.0 < sum(spent) <= 3.0
    one.stop()
    other.stop()
    assert uses(workspace, admin)[Meter.DAY].used == pytest.approx(sum(spent), abs=1e-6)


@on_a_loop
async def test_requests_of_a_minute_are_counted_and_come_back_with_the_next(
    workspace: Workspace, admin: Caller, clock: FakeClock, pools: Callable[[], Pool]
) -> None:
    put(workspace, admin, Limit(requests_per_minute=3))
    pool = pools()
    for _ in range(3):
        each = account(pool)
        await each.enter(0)
        each.leave()
    with pytest.raises(RateReached, match="key ci may use 3 requests a minute") as refused:
        await account(pool).enter(0)
    assert refused.value.facts["retry_after_s"] == 60
    clock.advance(61)
    each = account(pool)
    await each.enter(0)
    assert dict(each.headers())[b"x-ratelimit-remaining-requests"] == b"2"
    pool.stop()


@on_a_loop
async def test_a_clock_that_is_set_back_opens_no_window_again(
    workspace: Workspace, admin: Caller, clock: FakeClock, pools: Callable[[], Pool]
) -> None:
    put(workspace, admin, Limit(requests_per_minute=1))
    pool = pools()
    await account(pool).enter(0)
    clock.jump_to(clock.now() - timedelta(minutes=3))
    with pytest.raises(RateReached):
        await account(pool).enter(0)


@on_a_loop
async def test_requests_at_a_time_are_free_again_when_they_end(
    workspace: Workspace, admin: Caller, clock: FakeClock, pools: Callable[[], Pool]
) -> None:
    put(workspace, admin, Limit(concurrent=2))
    one, other = pools(), pools()
    first, second = account(one), account(other)
    await first.enter(0)
    await second.enter(0)
    with pytest.raises(RateReached, match="2 requests at a time"):
        await account(one).enter(0)
    second.leave()
    clock.advance(IDLE_S + 1)
    other.beat()  # gives the place back, so that the other process can have it
    await account(one).enter(0)


@on_a_loop
async def test_a_call_that_needs_more_than_is_left_is_refused_and_a_cheaper_one_is_not(
    workspace: Workspace, admin: Caller, pools: Callable[[], Pool]
) -> None:
    put(workspace, admin, Limit(usd_per_day=1.0))
    pool = pools()
    held = await account(pool).hold("m", 1, 0.9)
    with pytest.raises(QuotaSpent, match=r"\$1.00 a day, does not reach: \$0.1000 is left .* up to \$0.2000"):
        await account(pool).hold("m", 1, 0.2)
    (await account(pool).hold("m", 1, 0.1)).give_back()
    held.give_back()
    await account(pool).hold("m", 1, 1.0)


@on_a_loop
async def test_a_model_without_a_price_is_refused_where_money_is_counted(
    workspace: Workspace, admin: Caller, pools: Callable[[], Pool]
) -> None:
    put(workspace, admin, Limit(usd_per_month=1.0))
    with pytest.raises(PriceMissing, match="OPSLOOP_LLM_PRICES"):
        await account(pools()).hold("house-model", 1, None)


@on_a_loop
async def test_what_a_call_used_beyond_its_estimate_counts_too(
    workspace: Workspace, admin: Caller, pools: Callable[[], Pool]
) -> None:
    put(workspace, admin, Limit(tokens_per_minute=100))
    pool = pools()
    held = await account(pool).hold("m", 10, 0.0)
    held.settle(150, 0.0)
    with pytest.raises(RateReached, match="100 tokens a minute"):
        await account(pool).hold("m", 1, 0.0)
    pool.beat()
    assert uses(workspace, admin)[Meter.TOKENS].used == 150


@on_a_loop
async def test_what_can_never_find_room_is_told_so(
    workspace: Workspace, admin: Caller, pools: Callable[[], Pool]
) -> None:
    put(workspace, admin, Limit(tokens_per_minute=100))
    with pytest.raises(RateReached, match="this needs 101 at once: it never finds room"):
        await account(pools()).hold("m", 101, 0.0)


@on_a_loop
async def test_a_key_without_a_limit_has_the_default_one_for_itself(
    workspace: Workspace, admin: Caller, pools: Callable[[], Pool]
) -> None:
    put(workspace, admin, Limit(requests_per_minute=1), Scope.DEFAULT, "")
    put(workspace, admin, Limit(requests_per_minute=5), Scope.KEY, "ci")
    pool = pools()
    assert pool.of(None, "chat") == ()
    for name in ("ann", "bob"):
        await Account(pool, pool.of(name, "chat")).enter(0)
        with pytest.raises(RateReached, match=f"key {name}"):
            await Account(pool, pool.of(name, "chat")).enter(0)
    await account(pool).enter(0)
    await account(pool).enter(0)


@on_a_loop
async def test_a_lowered_limit_holds_for_what_a_process_held_already(
    workspace: Workspace, admin: Caller, pools: Callable[[], Pool]
) -> None:
    put(workspace, admin, Limit(requests_per_minute=80))
    pool = pools()
    await account(pool).enter(0)  # takes an eighth
    put(workspace, admin, Limit(requests_per_minute=2))
    pool.refresh()
    await account(pool).enter(0)
    with pytest.raises(RateReached):
        await account(pool).enter(0)


@on_a_loop
async def test_what_a_dead_process_held_stays_spent_and_its_requests_are_free_again(
    workspace: Workspace, admin: Caller, clock: FakeClock, pools: Callable[[], Pool]
) -> None:
    put(workspace, admin, Limit(usd_per_day=1.0, concurrent=1))
    dead, alive = pools(), pools()
    doomed = account(dead)
    await doomed.enter(0)
    await doomed.hold("m", 1, 0.3)
    clock.advance(60)
    alive.beat()
    next_one = account(alive)
    await next_one.enter(0)
    with pytest.raises(QuotaSpent):
        await next_one.hold("m", 1, 0.75)
    await next_one.hold("m", 1, 0.7)
    assert dead.reserve_now([])  # and the dead one, if it only slept, cannot use what it had
    dead.beat()
    with pytest.raises(QuotaSpent):
        await doomed.hold("m", 1, 0.01)


KILLED = """
    import sys
    from pathlib import Path
    from opsloop.core.opening import open_workspace
    from opsloop.core.settings import CoreSettings
    from opsloop.limits.account import Account
    from opsloop.limits.pool import Pool

    workspace = open_workspace(CoreSettings(data_dir=Path(sys.argv[1]), database_url=sys.argv[2]))
    pool = Pool(workspace)
    pool.start()
    for line in sys.stdin:
        held = Account(pool, pool.of("ci", None)).hold_now("m", 1, 0.005)
        held.settle(1, 0.004)
        print("spent", flush=True)
"""


def test_a_killed_process_never_makes_the_others_overspend(
    workspace: Workspace, admin: Caller, pools: Callable[[], Pool], clock: FakeClock
) -> None:
    clock.jump_to(datetime.now(UTC))
    put(workspace, admin, Limit(usd_per_month=1.0))
    settings = workspace.settings
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(settings.data_dir), str(settings.database_url)]
    spent = 0.0
    pool = pools()
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(20):
            process.stdin.write("spend\n")
            account(pool).hold_now("m", 1, 0.005).settle(1, 0.004)
            assert process.stdout.readline() == "spent\n"
            spent += 2 * 0.004
        os.kill(process.pid, signal.SIGKILL)
    clock.jump_to(datetime.now(UTC) + timedelta(seconds=60))
    pool.beat()
    while True:
        try:
            account(pool).hold_now("m", 1, 0.005).settle(1, 0.004)
        except QuotaSpent:
            break
        spent += 0.004
    assert spent <= 1.0
    pool.stop()
    month = uses(workspace, admin)[Meter.MONTH]
    assert month.held == 0
    # At most an eighth of what was left is lost with it.
    assert spent > 0.85
    assert month.used <= 1.0
