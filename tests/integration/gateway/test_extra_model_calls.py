"""Calls beside the first: a second one where a release allows it, and retries as far as a server's budget goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from opsloop.core.settings import CoreSettings
from opsloop.limits import service
from opsloop.limits.models import Limit, Meter, Scope
from opsloop.monitoring import metrics
from opsloop.testing.model_server import ModelServer
from tests.integration.gateway.test_key_limits import ASKS_A_MODEL
from tests.integration.gateway.world import OPERATOR, Live, Shop, ask

Start = Callable[[], Live]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(latency_ms=150) as running:
        yield running


@pytest.fixture
def settings(migrated_folder: Path, server: ModelServer) -> CoreSettings:
    return CoreSettings(data_dir=migrated_folder, llm_base_url=server.base_url)


def extra(kind: str) -> float:
    return metrics.REGISTRY.get_sample_value("gateway_extra_model_calls_total", {"endpoint": "chat", "kind": kind}) or 0


def release(shop: Shop, config: dict[str, Any]) -> None:
    flow = shop.kept("asks", **{"flow.dag.yaml": ASKS_A_MODEL, "prompt.jinja2": "user:\n{{question}}\n"})
    shop.release_kept(flow, config=config)


def test_a_slow_call_is_asked_a_second_time_where_the_release_allows_it(
    shop: Shop, live: Start, http: httpx.Client, server: ModelServer
) -> None:
    release(shop, {"hedge": {"after_ms": 20, "max_share": 0.5}})
    with shop.workspace.writing(OPERATOR) as uow:
        service.put(uow, Scope.ENDPOINT, "chat", Limit(usd_per_day=1.0))
    before = extra("hedge")
    running = live()
    answer = ask(http, running, "why?")
    assert answer.status_code == 200, answer.text
    assert len(server.calls) == 2
    assert extra("hedge") == before + 1
    running.stop()
    with shop.workspace.reading(OPERATOR) as uow:
        used = next(use.used for use in service.used(uow) if use.meter is Meter.DAY)
    one = answer.json()["usage"]  # of gpt-4; both calls are paid for
    assert used > (one["prompt_tokens"] * 30 + one["completion_tokens"] * 60) / 1e6


def test_without_that_every_call_is_made_once(shop: Shop, live: Start, http: httpx.Client, server: ModelServer) -> None:
    release(shop, {})
    assert ask(http, live(), "why?").status_code == 200
    assert len(server.calls) == 1
