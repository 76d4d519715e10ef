"""Whatever is sent is answered or refused in OpenAI's form; nothing breaks the server."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsloop.testing.app import App
from tests.unit.testing.asking import CHAT, Answered, ask, chat

PATHS = st.sampled_from([CHAT, "/v1/completions", "/embeddings", "/openai/deployments/d/chat/completions", "/_script"])
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
WORDS = st.sampled_from(["user", "tool", "text", "function", "json_object", "json_schema", "auto", "object", "m"])
KEYWORDS = (
    "model messages role content type text image_url url n stop max_tokens logprobs top_logprobs stream stream_options "
    "include_usage response_format json_schema schema name tools function parameters properties tool_choice functions "
    "function_call prompt input dimensions encoding_format echo temperature seed when contains answer times rules "
    "latency_ms"
)
KEYS = st.sampled_from(KEYWORDS.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)
OPTIONS = st.dictionaries(KEYS, JSON, max_size=3)


def is_in_form(answered: Answered) -> bool:
    if answered.status == 200:
        return answered.headers["content-type"] == "text/event-stream" or isinstance(answered.json, dict)
    error = answered.json["error"]
    return answered.status in (400, 404) and set(error) == {"message", "type", "param", "code"} and error["message"]


@settings(max_examples=200)
@given(st.binary(max_size=80) | JSON.map(msgspec.json.encode), PATHS)
def test_any_body_is_answered_or_refused_in_form(body: bytes, path: str) -> None:
    assert is_in_form(ask(App(), body, path=path, query="api-version=1"))


@settings(max_examples=300)
@given(OPTIONS)
def test_a_chat_with_any_options_is_answered_or_refused_in_form(options: dict[str, Any]) -> None:
    assert is_in_form(ask(App(), chat("hello", **{"model": "m", **options} | {"messages": [HELLO]})))


HELLO = {"role": "user", "content": "hello"}


@settings(max_examples=200)
@given(st.lists(st.fixed_dictionaries({"role": WORDS, "content": JSON}), max_size=3), st.booleans())
def test_a_chat_with_any_messages_is_answered_or_refused_in_form(messages: list[Any], streams: bool) -> None:
    assert is_in_form(ask(App(), {"model": "m", "messages": messages, "stream": streams}))


@given(JSON, st.booleans())
def test_a_function_with_any_parameters_is_called_or_refused_in_form(schema: Any, streams: bool) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    assert is_in_form(ask(App(), chat("hello", tools=[tool], stream=streams)))


@pytest.mark.parametrize(
    ("body", "param", "sentence"),
    [
        (b"{", None, "body: not valid JSON"),
        (b'{"model": "m"}', "messages", "messages: is missing"),
        (b'{"messages": [{"role": "user", "content": "x"}]}', "model", "model: is missing"),
        (b'{"model": "m", "messages": []}', "messages", "messages"),
        (b'{"model": "m", "messages": [{"role": "bot"}]}', "messages[0].role", "is 'bot'"),
        (b'{"model": "m", "messages": [{"role": "user", "content": "\\ud800x"}]}', None, "not valid JSON"),
        (chat("x", n=0), "n", "n: "),
        (chat("x", max_tokens=0), "max_tokens", "max_tokens: "),
        (chat("x", temperature=9), "temperature", "temperature: "),
        (chat("x", tools=[]), "tools", "tools: "),
        (chat("x", response_format={"type": "xml"}), "response_format.type", "'xml'"),
        (
            chat("x", tools=[{"type": "function", "function": {"name": "f"}}], tool_choice={"function": {"name": "g"}}),
            "tool_choice",
            "tool_choice: is 'g'",
        ),
        (
            chat("x", tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "string"}}}]),
            "tools[0].function.parameters",
            "wanted a schema of type object",
        ),
    ],
)
def test_a_refusal_names_the_field(body: Any, param: str | None, sentence: str) -> None:
    answered = ask(App(), body)
    assert answered.status == 400
    error = answered.json["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert sentence in error["message"]


@pytest.mark.parametrize("depth", [60, 500, 900, 990, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"allOf":[', "]}"), ('{"properties":{"a":', "}}")])
def test_a_deep_schema_is_met_or_refused_in_form(depth: int, opening: str, closing: str) -> None:
    schema = opening * depth + "1" + closing * depth
    function = f'{{"type": "function", "function": {{"name": "f", "parameters": {{"anyOf": [{schema}]}}}}}}'
    body = f'{{"model": "m", "messages": [{{"role": "user", "content": "x"}}], "tools": [{function}]}}'
    assert is_in_form(ask(App(), body.encode()))


def test_a_path_that_nobody_answers_is_not_found_in_form() -> None:
    answered = ask(App(), chat("x"), path="/v1/responses")
    assert (answered.status, answered.json["error"]["code"]) == (404, "unknown_url")


def test_a_call_that_was_refused_is_counted_once_and_over() -> None:
    app = App()
    ask(app, b"{")
    assert (app.calls.total, app.calls.in_flight, dict(app.calls.by_status)) == (1, 0, {"400": 1})


def test_a_body_over_the_limit_is_refused() -> None:
    answered = ask(App(body_limit_bytes=100), chat("x" * 100))
    assert answered.status == 413
    assert answered.json["error"]["message"] == "the body is over the limit of 100 bytes; send less"


def test_ten_megabytes_of_one_word_are_answered() -> None:
    answered = ask(App(), chat("x" * 10_000_000 + " end?"))
    assert answered.json["usage"]["prompt_tokens"] == 3 + 3
    assert answered.text.endswith(" end?")
