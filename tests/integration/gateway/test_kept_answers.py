"""Answers that a release allows to be kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from opsloop.core.errors import InvalidInput
from opsloop.monitoring import metrics
from opsloop.rag import service as rag
from tests.integration.gateway.world import DAG, OPERATOR, Live, Shop, ask, wait_for

Start = Callable[[], Live]
READS = """
def answer(question: str, chat_history: list) -> dict:
    from opsloop import search
    found = search("handbook", question)
    return {"answer": " ".join(each["text"] for each in found), "citations": [], "abstained": False}
"""


def release(shop: Shop, code: str, cache: dict[str, Any] | None) -> str:
    flow = shop.flow(code, dag=DAG)
    return shop.release_kept(flow, config={} if cache is None else {"cache": cache})


def text(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    content: str = answer.json()["choices"][0]["message"]["content"]
    return content


@pytest.fixture
def counts() -> str:
    return """
def answer(question: str, chat_history: list) -> dict:
    import signals

    signals.count = getattr(signals, "count", 0) + 1
    if question == "fail":
        raise ValueError("no")
    return {"answer": f"answer {signals.count} to {question}", "citations": [{"quote": "q"}], "abstained": False}
"""


def test_the_same_question_gets_the_same_answer_and_costs_nothing(
    shop: Shop, live: Start, http: httpx.Client, counts: str
) -> None:
    release(shop, counts, {"ttl_s": 60})
    running = live()
    first, again, other = ask(http, running, "a"), ask(http, running, "a"), ask(http, running, "b")
    assert [text(each) for each in (first, again, other)] == ["answer 1 to a", "answer 1 to a", "answer 2 to b"]
    assert [each.headers["x-opsloop-cache"] for each in (first, again, other)] == ["miss", "hit", "miss"]
    told = [each.json()["choices"][0]["message"]["opsloop"] for each in (first, again)]
    assert told[0]["request_id"] != told[1]["request_id"]
    assert told[1]["citations"] == [{"quote": "q"}]
    assert first.json()["usage"] == again.json()["usage"]
    fresh = http.post(
        f"{running.url}/v1/chat/completions",
        json={"model": "chat", "messages": [{"role": "user", "content": "a"}]},
        headers={"cache-control": "no-cache"},
    )
    assert text(fresh) == "answer 3 to a"
    assert text(ask(http, running, "a")) == "answer 3 to a"
    running.drain()
    records = shop.records()
    assert [record.cached for record in records] == [False, True, False, False, True]
    assert [record.tokens_out > 0 for record in records] == [True, False, True, True, False]
    assert b'gateway_cache_answers_total{endpoint="chat",outcome="hit"}' in metrics.render()


def test_a_kept_answer_is_streamed_and_serves_invoke_too(
    shop: Shop, live: Start, http: httpx.Client, counts: str
) -> None:
    release(shop, counts, {"ttl_s": 60})
    running = live()
    assert text(ask(http, running, "a")) == "answer 1 to a"
    streamed = ask(http, running, "a", stream=True)
    assert streamed.headers["x-opsloop-cache"] == "hit"
    events = [json.loads(line[6:]) for line in streamed.text.splitlines() if line.startswith("data: {")]
    assert "".join(each["choices"][0]["delta"].get("content") or "" for each in events) == "answer 1 to a"
    assert streamed.text.rstrip().endswith("data: [DONE]")
    inputs = {"question": "a", "chat_history": []}
    invoked = http.post(f"{running.url}/endpoints/chat/invoke", json={"inputs": inputs})
    assert invoked.json()["outputs"]["answer"] == "answer 1 to a"


def test_a_streamed_answer_is_kept(shop: Shop, live: Start, http: httpx.Client, counts: str) -> None:
    release(shop, counts, {"ttl_s": 60})
    running = live()
    ask(http, running, "a", stream=True)
    assert ask(http, running, "a").headers["x-opsloop-cache"] == "hit"


def test_errors_are_not_kept_and_nothing_is_where_the_release_does_not_say_so(
    shop: Shop, live: Start, http: httpx.Client, counts: str
) -> None:
    release(shop, counts, {"ttl_s": 60})
    running = live()
    assert [ask(http, running, "fail").headers["x-opsloop-cache"] for _ in range(2)] == ["miss", "miss"]
    release(shop, counts, None)
    wait_for(lambda: "x-opsloop-cache" not in ask(http, running, "a").headers)
    assert text(ask(http, running, "a")) != text(ask(http, running, "a"))


def test_what_was_made_from_documents_is_kept_only_where_that_is_allowed_and_while_they_are_the_same(
    shop: Shop, live: Start, http: httpx.Client
) -> None:
    with shop.workspace.writing(OPERATOR) as uow:
        rag.create_collection(uow, "handbook")
        first = rag.upload(uow, "handbook", "leave.md", b"Employees have thirty days of leave each year.")
    release(shop, READS, {"ttl_s": 60})
    running = live()
    assert [ask(http, running, "leave?").headers["x-opsloop-cache"] for _ in range(2)] == ["miss", "miss"]
    release(shop, READS, {"ttl_s": 60, "documents": True})
    wait_for(lambda: ask(http, running, "leave?").headers["x-opsloop-cache"] == "hit")
    assert "thirty" in text(ask(http, running, "leave?"))
    with shop.workspace.writing(OPERATOR) as uow:
        rag.delete_document(uow, "handbook", first.document_id)
    after = ask(http, running, "leave?")
    assert after.headers["x-opsloop-cache"] == "miss"
    assert "thirty" not in text(after)


@pytest.mark.parametrize(
    ("cache", "says"),
    [
        (5, r"config.cache: is 5; wanted a mapping"),
        ({}, "config.cache.ttl_s: is None; wanted seconds"),
        ({"ttl_s": float("inf")}, "config.cache.ttl_s: is inf"),
        ({"ttl_s": True}, "config.cache.ttl_s: is True"),
        ({"ttl_s": 5, "ttl": 5}, "config.cache.ttl: is 5; wanted one of"),
        ({"ttl_s": 5, "shared": "yes"}, "config.cache.shared: is 'yes'; wanted true or false"),
    ],
)
def test_a_wrong_policy_is_refused_when_it_is_released(shop: Shop, counts: str, cache: object, says: str) -> None:
    flow = shop.flow(counts)
    with pytest.raises(InvalidInput, match=says):
        shop.release_kept(flow, config={"cache": cache})
