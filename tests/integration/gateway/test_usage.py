"""What requests used stands in their records, and is what limits took for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from opsloop.core.settings import CoreSettings
from opsloop.limits import service as limits
from opsloop.limits.models import NANO, Limit, Meter, Scope
from opsloop.llm.tabs import ModelCalls
from opsloop.monitoring.usage import service
from opsloop.testing.model_server import ModelServer
from tests.integration.gateway.test_key_limits import ASKS_A_MODEL, PROMPT, limit
from tests.integration.gateway.world import ECHO, OPERATOR, Live, Shop, ask

Start = Callable[[], Live]


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer([{"when": {"contains": "fail"}, "status": 400}]) as running:
        yield running


@pytest.fixture
def settings(migrated_folder: Path, server: ModelServer) -> CoreSettings:
    return CoreSettings(data_dir=migrated_folder, llm_base_url=server.base_url)


def test_usage_and_limits_agree_to_a_billionth(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release_kept(shop.kept("asks", **{"flow.dag.yaml": ASKS_A_MODEL, "prompt.jinja2": PROMPT}))
    limit(shop, Limit(usd_per_day=0.03))
    running = live()
    with ThreadPoolExecutor(8) as pool:  # some are refused, and some fail at the model's server
        texts = [f"question {number}?" if number % 3 else "fail, please" for number in range(24)]
        statuses = {answer.status_code for answer in pool.map(lambda text: ask(http, running, text), texts)}
    assert 200 in statuses
    running.drain()
    with shop.workspace.reading(OPERATOR) as uow:
        [taken] = [each for each in limits.used(uow) if each.meter is Meter.DAY and each.scope is Scope.ENDPOINT]
        report = service.report(uow, by="model")
    assert round(report.total.cost_usd * NANO) == round(taken.used * NANO)
    assert report.total.cost_usd > 0
    assert report.total.requests == 24
    gpt_4 = next(each for each in report.items if each.name == "gpt-4")
    assert gpt_4.calls == sum(record.status == "ok" for record in shop.records())


def test_calls_count_also_where_nothing_is_limited(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release_kept(shop.kept("asks", **{"flow.dag.yaml": ASKS_A_MODEL, "prompt.jinja2": PROMPT}))
    running = live()
    assert ask(http, running).status_code == 200
    running.drain()
    [record] = shop.records()
    cost = record.tokens_in * 30_000 + record.tokens_out * 60_000  # gpt-4: $30 a million tokens in, $60 out
    assert record.calls == (ModelCalls("gpt-4", 1, record.tokens_in, record.tokens_out, cost),)


def test_an_answer_without_a_call_costs_nothing(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(ECHO)
    running = live()
    assert ask(http, running).status_code == 200
    running.drain()
    [record] = shop.records()
    assert (record.calls, record.cost_usd) == ((), 0.0)
    assert record.tokens_in > 0
