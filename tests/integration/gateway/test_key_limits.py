"""What a caller meets who has used what its key or an endpoint may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import openai
import pytest

from opsloop.core.settings import CoreSettings
from opsloop.limits import service
from opsloop.limits.models import Limit, Meter, Scope
from opsloop.testing.model_server import ModelServer
from tests.integration.gateway.world import ECHO, OPERATOR, Live, Shop, ask, wait_for

Start = Callable[[], Live]
ASKS_A_MODEL = """
inputs:
  question: {type: string, is_chat_input: true}
outputs:
  answer: {type: string, reference: "${answer.output}", is_chat_output: true}
nodes:
- name: answer
  type: llm
  source: {type: code, path: prompt.jinja2}
  api: chat
  inputs: {model: gpt-4, max_tokens: 100, question: "${inputs.question}"}
"""
PROMPT = "# user:\n{{question}}\n"


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer([{"when": {"contains": "fail"}, "status": 400}]) as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, server: ModelServer) -> CoreSettings:
    return CoreSettings(data_dir=tmp_path / "data", llm_base_url=server.base_url)


def limit(shop: Shop, limit: Limit, scope: Scope = Scope.ENDPOINT, name: str = "chat") -> None:
    with shop.workspace.writing(OPERATOR) as uow:
        service.put(uow, scope, name, limit)


def spent_usd(shop: Shop) -> float:
    with shop.workspace.reading(OPERATOR) as uow:
        return next((use.used for use in service.used(uow) if use.meter is Meter.DAY), 0.0)


def test_an_answer_says_what_is_left_and_the_next_one_too_many_is_refused(
    shop: Shop, live: Start, http: httpx.Client
) -> None:
    shop.release(ECHO)
    limit(shop, Limit(requests_per_minute=100, tokens_per_minute=40))
    running = live()
    answer = ask(http, running)
    assert answer.status_code == 200
    assert answer.headers["x-ratelimit-limit-requests"] == "100"
    assert answer.headers["x-ratelimit-remaining-requests"] == "99"
    assert answer.headers["x-ratelimit-limit-tokens"] == "40"
    assert answer.headers["x-ratelimit-reset-tokens"]
    refused = ask(http, running, "why " * 50)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["x-ratelimit-limit-tokens"] == "40"
    error = refused.json()["error"]
    assert (error["type"], error["code"]) == ("rate_limit_exceeded", "rate_limit_exceeded")
    assert error["message"].startswith("endpoint chat may use 40 tokens a minute")
    problem = http.post(f"{running.url}/endpoints/chat/invoke", json={"inputs": {"question": "why " * 50}})
    assert problem.status_code == 429
    assert problem.json()["type"] == "urn:opsloop:problem:rate-reached"
    running.drain()
    assert [(record.status, record.http_status) for record in shop.records()] == [("ok", 200), *[("shed", 429)] * 2]


def test_a_budget_is_held_by_the_calls_that_a_flow_makes(shop: Shop, live: Start, http: httpx.Client) -> None:
    flow = shop.kept("asks", **{"flow.dag.yaml": ASKS_A_MODEL, "prompt.jinja2": PROMPT})
    shop.release_kept(flow)
    limit(shop, Limit(usd_per_day=0.05))
    running = live()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: ask(http, running, f"question {number}?"), range(64)))
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {200, 429}
    assert 200 in statuses
    while ask(http, running, "more?").status_code == 200:
        pass
    refused = ask(http, running, "more?")
    assert refused.status_code == 429
    error = refused.json()["error"]
    assert (error["type"], error["code"]) == ("insufficient_quota", "insufficient_quota")
    assert "$0.05 a day" in error["message"]
    assert int(refused.headers["retry-after"]) > 1
    running.drain()
    good = [record for record in shop.records() if record.status == "ok"]
    # gpt-4: $30 a million tokens in, $60 out.
    cost = sum(record.tokens_in * 30e-6 + record.tokens_out * 60e-6 for record in good)
    assert spent_usd(shop) == pytest.approx(cost, abs=1e-9)
    assert cost <= 0.05
    # A refusal speaks against the caller, not against the release.
    assert {record.http_status for record in shop.records() if record.status == "error"} <= {429}


def test_a_call_that_the_model_server_refuses_costs_nothing(shop: Shop, live: Start, http: httpx.Client) -> None:
    flow = shop.kept("asks", **{"flow.dag.yaml": ASKS_A_MODEL, "prompt.jinja2": PROMPT})
    shop.release_kept(flow)
    limit(shop, Limit(usd_per_day=0.05))
    running = live()
    for _ in range(12):  # the budget would reach for seven
        assert ask(http, running, "fail, please").status_code == 500
    running.drain()
    assert spent_usd(shop) == 0


def test_a_stream_that_a_budget_refuses_is_a_429_and_the_client_says_so(shop: Shop, live: Start) -> None:
    flow = shop.kept("asks", **{"flow.dag.yaml": ASKS_A_MODEL, "prompt.jinja2": PROMPT})
    shop.release_kept(flow)
    limit(shop, Limit(usd_per_day=0.01))
    running = live()
    client = openai.OpenAI(base_url=f"{running.url}/v1", api_key="any", max_retries=0)
    with client, pytest.raises(openai.RateLimitError, match=r"endpoint chat, \$0.01 a day"):
        client.chat.completions.create(
            model="chat", messages=[{"role": "user", "content": "tell me a long story " * 30}], stream=True
        )


def test_a_limit_that_is_set_while_the_gateway_runs_holds_in_a_moment(
    shop: Shop, live: Start, http: httpx.Client
) -> None:
    shop.release(ECHO)
    running = live()
    assert ask(http, running).status_code == 200
    limit(shop, Limit(requests_per_minute=0))
    wait_for(lambda: ask(http, running).status_code == 429)
    with shop.workspace.writing(OPERATOR) as uow:
        service.remove(uow, Scope.ENDPOINT, "chat")
    wait_for(lambda: ask(http, running).status_code == 200)


def test_what_was_used_survives_a_drain_and_a_new_start(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(ECHO)
    limit(shop, Limit(requests_per_minute=1_000_000, usd_per_month=3.0))
    first = live()
    assert [ask(http, first).status_code for _ in range(3)] == [200] * 3
    first.stop()
    with shop.workspace.reading(OPERATOR) as uow:
        use = next((use for use in service.used(uow) if use.meter is Meter.REQUESTS), None)
    if use is not None:  # the minute may have turned
        assert (use.used, use.held) == (3, 0)
