"""What a caller meets who has used what its key or an endpoint may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import openai
import pytest
import uvicorn

from opsloop.core.caller import Role
from opsloop.core.identity import keys
from opsloop.core.settings import CoreSettings
from opsloop.limits import service
from opsloop.limits.models import Limit, Meter, Scope
from opsloop.rag import service as rag
from opsloop.server.control_plane import control_plane
from opsloop.server.entrance import Entrance
from opsloop.testing.model_server import ModelServer
from tests.integration.gateway.world import ECHO, OPERATOR, STREAMING_DAG, Live, Shop, ask, wait_for

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
def settings(migrated_folder: Path, server: ModelServer) -> CoreSettings:
    return CoreSettings(data_dir=migrated_folder, llm_base_url=server.base_url)


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


OWN_CLIENT = """
def answer(question: str):
    import openai

    with openai.OpenAI(base_url="BASE", api_key="k", max_retries=0) as client:
        stream = client.chat.completions.create(
            model="gpt-4",
            messages=[{"role": "user", "content": question}],
            max_tokens=100,
            stream=True,
            stream_options={"include_usage": True},
        )
        text = "".join(part.choices[0].delta.content or "" for part in stream if part.choices)
        whole = client.chat.completions.create(
            model="gpt-4", messages=[{"role": "user", "content": text}], max_tokens=100
        )
    return whole.choices[0].message.content
"""


def test_calls_of_a_flows_own_client_are_held_too(
    shop: Shop, live: Start, http: httpx.Client, server: ModelServer
) -> None:
    shop.release(OWN_CLIENT.replace("BASE", server.base_url), dag=STREAMING_DAG)
    limit(shop, Limit(usd_per_day=0.05))
    running = live()
    statuses = [ask(http, running, "one, please?").status_code for _ in range(3)]
    assert statuses == [200] * 3
    while (refused := ask(http, running, "one, please?")).status_code == 200:
        pass
    assert refused.status_code == 429
    assert refused.json()["error"]["type"] == "insufficient_quota"
    spent = ask(http, running, "fail, please")
    assert spent.status_code in (429, 500)
    running.drain()
    cost = sum(
        record.tokens_in * 30e-6 + record.tokens_out * 60e-6 for record in shop.records() if record.status == "ok"
    )
    assert cost <= spent_usd(shop) <= 0.05
    assert spent_usd(shop) < cost + 0.002  # the first call of the refused one was paid for


class Whole(Live):
    """The gateway and the control plane behind the entrance."""

    def config(self) -> uvicorn.Config:
        app = Entrance(self.workspace, self.gateway, control_plane(self.workspace), limits=self.gateway.limits)
        return uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)


def query(http: httpx.Client, url: str, secret: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {secret}"}
    return http.post(f"{url}/query", json={"question": "How many days of leave?"}, headers=headers)


def test_questions_to_documents_count_for_the_key_that_asks(shop: Shop, http: httpx.Client) -> None:
    with shop.workspace.writing(OPERATOR) as uow:
        rag.upload(uow, "default", "leave.md", b"Every employee has 30 days of leave a year.")
        one, other = (keys.create(uow, name, Role.VIEWER).secret for name in ("one", "other"))
    limit(shop, Limit(requests_per_minute=0), Scope.KEY, "one")
    limit(shop, Limit(requests_per_minute=1000), Scope.DEFAULT, "")
    running = Whole(shop.workspace)
    try:
        refused = query(http, running.url, one)
        assert refused.status_code == 429
        assert refused.json()["type"] == "urn:opsloop:problem:rate-reached"
        assert refused.json()["meter"] == "requests"
        assert int(refused.headers["retry-after"]) == refused.json()["retry_after_s"]
        answer = query(http, running.url, other)
        assert answer.status_code == 200
        assert answer.headers["x-ratelimit-limit-requests"] == "1000"
        # Looking at things is not counted.
        seen = http.get(f"{running.url}/api/limits", headers={"authorization": f"Bearer {one}"})
        assert seen.status_code == 200
    finally:
        running.stop()
