"""The official client of the OpenAI protocol against a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import openai
import pytest

from tests.integration.gateway.world import (
    BREAKS_OFF,
    ECHO,
    FAILS,
    STREAMING_DAG,
    STREAMS,
    Live,
    Shop,
    ask,
)

Start = Callable[[], Live]


@pytest.fixture
def client_of() -> Iterator[Callable[[Live], openai.OpenAI]]:
    made: list[openai.OpenAI] = []

    def client(live: Live) -> openai.OpenAI:
        http_client = openai.DefaultHttpxClient(trust_env=False, timeout=30)
        made.append(openai.OpenAI(base_url=f"{live.url}/v1", api_key="any", max_retries=0, http_client=http_client))
        return made[-1]

    yield client
    for each in made:
        each.close()


ClientOf = Callable[[Live], openai.OpenAI]


def test_an_answer_has_text_usage_and_where_it_comes_from(shop: Shop, live: Start, client_of: ClientOf) -> None:
    shop.release(ECHO)
    running = live()
    answer = client_of(running).chat.completions.create(
        model="chat", messages=[{"role": "user", "content": "why?"}], user="maria"
    )
    message = answer.choices[0].message
    assert message.content == "flow-1 says why? after []"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "chat"
    assert answer.usage is not None
    # 3 to prime, 3 for the message and ceil(4 bytes / 4); ceil(25 / 4).
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (7, 7, 14)
    assert message.model_extra is not None
    told = message.model_extra["opsloop"]
    assert (told["arm"], told["number"], told["abstained"], told["citations"]) == ("stable", 1, False, [{"quote": "q"}])
    assert told["usage_estimated"] is True
    running.drain()
    (record,) = shop.records()
    assert (record.request_id, record.status, record.arm) == (told["request_id"], "ok", "stable")
    assert (record.tokens_in, record.tokens_out, record.abstained) == (7, 7, False)
    assert "maria" not in repr(record)


def test_turns_before_the_question_are_the_flows_chat_history(shop: Shop, live: Start, client_of: ClientOf) -> None:
    shop.release(ECHO)
    answer = client_of(live()).chat.completions.create(
        model="chat",
        messages=[
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "a?"},
            {"role": "assistant", "content": "b."},
            {"role": "user", "content": [{"type": "text", "text": "c"}, {"type": "text", "text": "d?"}]},
        ],
    )
    assert answer.choices[0].message.content == "flow-1 says c\nd? after ['a?/b.']"


def test_a_stream_gives_pieces_usage_and_its_end(shop: Shop, live: Start, client_of: ClientOf) -> None:
    shop.guard({})
    shop.release(STREAMS, dag=STREAMING_DAG)
    running = live()
    chunks = list(
        client_of(running).chat.completions.create(
            model="chat",
            messages=[{"role": "user", "content": "why?"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert [text for text in texts if text] == ["one ", "two ", "three"]
    first, last, usage = chunks[0], chunks[-2], chunks[-1]
    assert first.choices[0].delta.role == "assistant"
    assert first.choices[0].delta.model_extra is not None
    assert first.choices[0].delta.model_extra["opsloop"]["arm"] == "stable"
    assert last.choices[0].finish_reason == "stop"
    assert usage.choices == []
    assert usage.usage is not None
    assert (usage.usage.prompt_tokens, usage.usage.completion_tokens) == (7, 4)
    running.drain()
    (record,) = shop.records()
    assert (record.status, record.streamed, record.http_status) == ("ok", True, 200)


def test_a_flow_that_does_not_stream_can_be_asked_for_a_stream(shop: Shop, live: Start, client_of: ClientOf) -> None:
    shop.release(ECHO)
    chunks = list(
        client_of(live()).chat.completions.create(
            model="chat", messages=[{"role": "user", "content": "why?"}], stream=True
        )
    )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "flow-1 says why? after []"
    told = chunks[-1].choices[0].delta.model_extra
    assert told is not None
    assert told["opsloop"]["citations"] == [{"quote": "q"}]


def test_a_stream_that_breaks_off_says_so_and_is_recorded_as_an_error(
    shop: Shop, live: Start, client_of: ClientOf
) -> None:
    shop.release(BREAKS_OFF, dag=STREAMING_DAG)
    running = live()
    stream = client_of(running).chat.completions.create(
        model="chat", messages=[{"role": "user", "content": "why?"}], stream=True
    )
    with pytest.raises(openai.APIError, match=r"node .answer. failed"):
        list(stream)
    running.drain()
    (record,) = shop.records()
    assert (record.status, record.error_type, record.http_status) == ("error", "NodeFailed", 200)


def test_an_unknown_model_is_openais_not_found(shop: Shop, live: Start, client_of: ClientOf) -> None:
    shop.release(ECHO)
    with pytest.raises(openai.NotFoundError) as refused:
        client_of(live()).chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "why?"}])
    assert refused.value.code == "model_not_found"
    assert refused.value.param == "model"
    assert "gpt-4o" in refused.value.message


def test_models_are_the_endpoints(shop: Shop, live: Start, client_of: ClientOf) -> None:
    shop.endpoint("other")
    client = client_of(live())
    assert [model.id for model in client.models.list()] == ["chat", "other"]
    assert client.models.retrieve("chat").owned_by == "opsloop"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("none")


def test_an_endpoint_without_a_release_says_what_to_do(shop: Shop, live: Start, client_of: ClientOf) -> None:
    with pytest.raises(openai.InternalServerError, match="opsloop release create"):
        client_of(live()).chat.completions.create(model="chat", messages=[{"role": "user", "content": "why?"}])


def test_a_release_that_fails_is_a_server_error(shop: Shop, live: Start, client_of: ClientOf) -> None:
    shop.release(FAILS)
    running = live()
    with pytest.raises(openai.InternalServerError, match=r"node .answer. failed") as failed:
        client_of(running).chat.completions.create(model="chat", messages=[{"role": "user", "content": "why?"}])
    assert failed.value.type == "server_error"
    assert failed.value.response.headers["x-request-id"].startswith("req_")
    running.drain()
    (record,) = shop.records()
    assert (record.status, record.http_status, record.shielded) == ("error", 500, False)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"n": 2}, "n"),
        ({"n": "two"}, "n"),
        ({"messages": []}, "messages"),
        ({"messages": "why?"}, "messages"),
        ({"messages": [{"role": "boss", "content": "why?"}]}, "messages[0].role"),
        ({"messages": [{"content": "why?"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages[0].content"),
        ({"messages": [{"role": "assistant", "content": "I."}]}, "messages[0].role"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages[0].content[0].type",
        ),
        ({"model": None}, "model"),
        ({"stream": "yes"}, "stream"),
    ],
)
def test_a_wrong_field_is_named(
    shop: Shop, live: Start, http: httpx.Client, change: dict[str, Any], param: str
) -> None:
    shop.release(ECHO)
    answer = ask(http, live(), **change)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert param in error["message"]


@pytest.mark.parametrize(
    ("body", "at"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"\xff\xfe", "body"),
        (b'{"a":' + b"[" * 5_000, "body"),
        (b"null", "body"),
        (b'{"model": NaN}', "model"),
    ],
)
def test_a_body_that_is_no_request_is_refused_in_a_sentence(
    shop: Shop, live: Start, http: httpx.Client, body: bytes, at: str
) -> None:
    shop.release(ECHO)
    answer = http.post(f"{live().url}/v1/chat/completions", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(f"{at}: ")


def test_another_method_is_told_the_right_one(shop: Shop, live: Start, http: httpx.Client) -> None:
    answer = http.get(f"{live().url}/v1/chat/completions")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "POST" in answer.json()["error"]["message"]


PROMPTY = """---
name: ask
inputs: {question: {type: string}, chat_history: {type: list}}
---
system:
{% for item in chat_history if item.role == "assistant" %}
{{item.content}}
{% endfor %}
user:
{{question}}
"""
FLEX = """
def chat(question: str, chat_history: list = None):
    return {"answer": f"{question} after {[each['role'] for each in chat_history]}", "context": ["c"]}
"""


@pytest.mark.parametrize(
    ("files", "answer"),
    [
        ({"chat.prompty": PROMPTY}, "A canary is a small release."),
        ({"flow.flex.yaml": "entry: work:chat", "work.py": FLEX}, "What is a canary? after ['user', 'assistant']"),
    ],
)
def test_a_prompty_and_a_flex_flow_get_the_turns_before_as_messages(
    shop: Shop, live: Start, client_of: ClientOf, files: dict[str, str], answer: str
) -> None:
    shop.release_kept(shop.kept("other", **files))
    running = live()
    messages: Any = [
        {"role": "user", "content": "Tell me about canaries."},
        {"role": "assistant", "content": "A canary is a small release."},
        {"role": "user", "content": "What is a canary?"},
    ]
    completion = client_of(running).chat.completions.create(model="chat", messages=messages)
    assert completion.choices[0].message.content == answer
    running.drain()
