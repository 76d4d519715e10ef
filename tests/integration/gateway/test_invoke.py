from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.integration.gateway.world import (
    BREAKS_OFF,
    ECHO,
    STREAMING_DAG,
    STREAMS,
    Live,
    Shop,
)

Start = Callable[[], Live]
NOT_JSON = """
def answer(question: str, chat_history: list) -> dict:
    return {"answer": "x", "citations": [object()], "abstained": False}
"""


def invoke(http: httpx.Client, live: Live, body: Any, *, endpoint: str = "chat", **headers: str) -> httpx.Response:
    return http.post(f"{live.url}/endpoints/{endpoint}/invoke", json=body, headers=headers)


def events(response: httpx.Response) -> list[tuple[str, Any]]:
    found = []
    for block in response.text.strip().split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def test_a_flow_answers_by_the_names_of_its_outputs(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(ECHO)
    running = live()
    answer = invoke(http, running, {"inputs": {"question": "why?"}, "user": "maria"})
    assert answer.status_code == 200
    found = answer.json()
    assert found["outputs"]["answer"] == "flow-1 says why? after []"
    assert (found["arm"], found["number"]) == ("stable", 1)
    assert answer.headers["x-request-id"] == found["request_id"]
    assert found["usage"]["tokens_in"] > 0
    running.drain()
    (record,) = shop.records()
    assert (record.status, record.tokens_in) == ("ok", found["usage"]["tokens_in"])


def test_events_of_a_stream_end_with_the_result(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.guard({})
    shop.release(STREAMS, dag=STREAMING_DAG)
    answer = invoke(http, live(), {"inputs": {"question": "why?"}}, accept="text/event-stream")
    assert answer.headers["content-type"] == "text/event-stream"
    found = events(answer)
    assert [name for name, _ in found] == ["start", "delta", "delta", "delta", "result"]
    assert found[-1][1]["outputs"] == {"answer": "one two three"}


def test_events_of_a_stream_that_breaks_end_with_a_problem(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(BREAKS_OFF, dag=STREAMING_DAG)
    answer = invoke(http, live(), {"inputs": {"question": "why?"}}, accept="text/event-stream")
    name, problem = events(answer)[-1]
    assert name == "error"
    assert problem["type"] == "urn:opsloop:problem:node-failed"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "inputs"),
        ({"inputs": 3}, "inputs"),
        ({"inputs": {}, "input": {}}, "input"),
        ({"inputs": {}}, "inputs.question"),
        ({"inputs": {"question": "why?", "chat_history": 7}}, "inputs.chat_history"),
    ],
)
def test_wrong_inputs_are_a_problem_that_names_the_field(
    shop: Shop, live: Start, http: httpx.Client, body: Any, field: str
) -> None:
    shop.release(ECHO)
    answer = invoke(http, live(), body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in answer.json()["detail"]


def test_an_unknown_endpoint_is_a_problem(shop: Shop, live: Start, http: httpx.Client) -> None:
    answer = invoke(http, live(), {"inputs": {}}, endpoint="nobody")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:opsloop:problem:unknown-endpoint")


def test_an_answer_that_is_no_json_is_the_releases_failure(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(NOT_JSON)
    running = live()
    answer = invoke(http, running, {"inputs": {"question": "why?"}})
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:opsloop:problem:answer-not-json")
    running.drain()
    (record,) = shop.records()
    assert (record.status, record.error_type) == ("error", "AnswerNotJson")


def test_a_flow_that_takes_no_chat_names_the_other_route(shop: Shop, live: Start, http: httpx.Client) -> None:
    shop.release(STREAMS, dag=STREAMING_DAG.replace(", is_chat_input: true", "").replace(", is_chat_output: true", ""))
    body = {"model": "chat", "messages": [{"role": "user", "content": "why?"}]}
    answer = http.post(f"{live().url}/v1/chat/completions", json=body)
    assert answer.status_code == 400
    assert "/endpoints/chat/invoke" in answer.json()["error"]["message"]


REFUSES = """
def answer(question: str, chat_history: list) -> dict:
    from promptflow.exceptions import UserErrorException

    raise UserErrorException(f"question is {question!r}; wanted a question about the product")
"""


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_what_a_flow_says_to_its_caller_is_heard_and_is_no_failure(
    shop: Shop, live: Start, http: httpx.Client, accept: str
) -> None:
    shop.release(REFUSES)
    answer = invoke(http, live(), {"inputs": {"question": "why?"}}, accept=accept)
    problem = answer.json()
    assert (answer.status_code, problem["kind"]) == (422, "invalid")
    assert problem["detail"] == "question is 'why?'; wanted a question about the product"
