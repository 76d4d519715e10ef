"""A script's rules: which request they are for, how often, what becomes of it, and what is wrong with them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from opsloop.core.clock import FakeClock
from opsloop.core.errors import InvalidInput
from opsloop.testing.app import App
from opsloop.testing.latency import drawn_ms
from opsloop.testing.script import Rule, Script, When, read_script
from tests.unit.testing.asking import Answered, ask, chat


def app(*rules: Any) -> App:
    return App(Script(rules), clock=FakeClock(datetime(2027, 1, 1, 12, tzinfo=UTC)))


def error_of(answered: Answered) -> tuple[int, str, str | None]:
    error = answered.json["error"]
    return answered.status, error["type"], error["code"]


def test_the_first_rule_that_fits_and_is_not_spent_wins() -> None:
    scripted = app(
        {"when": {"contains": "canary"}, "answer": "a bird", "times": 2},
        {"when": {"regex": r"can[a-z]+\?"}, "answer": "a release"},
        {"answer": "anything"},
    )
    said = [ask(scripted, chat(text)).text for text in ("canary", "a canary?", "canary?", "canary", "other")]
    assert said == ["a bird", "a bird", "a release", "anything", "anything"]


def test_a_rule_may_be_for_a_model_an_endpoint_or_streams_alone() -> None:
    scripted = app(
        {"when": {"model": "gpt-4o"}, "answer": "by model"},
        {"when": {"endpoint": "completions"}, "answer": "by endpoint"},
        {"when": {"stream": True}, "answer": "by stream"},
    )
    assert ask(scripted, chat("x") | {"model": "gpt-4o"}).text == "by model"
    assert ask(scripted, chat("x")).text == "You said: x"
    completion = ask(scripted, {"model": "m", "prompt": "x"}, path="/v1/completions")
    assert completion.json["choices"][0]["text"] == "by endpoint"
    assert b'"by"' in ask(scripted, chat("x", stream=True)).body


def test_a_rule_for_a_model_is_for_a_deployment_too() -> None:
    scripted = app({"when": {"model": "mine"}, "answer": "by deployment"})
    path = "/openai/deployments/mine/chat/completions"
    assert ask(scripted, chat("x"), path=path, query="api-version=2024-06-01").text == "by deployment"


def test_rules_can_be_python_objects() -> None:
    assert ask(app(Rule(when=When(contains="x"), json={"score": 5})), chat("x")).text == '{"score": 5}'


def test_what_is_scripted_is_still_cut_by_the_request() -> None:
    answered = ask(app({"answer": "one two three"}), chat("x", max_tokens=2))
    assert (answered.text, answered.json["choices"][0]["finish_reason"]) == ("one two", "length")


def test_a_scripted_completion_is_whole_where_the_request_sets_no_limit() -> None:
    text = "word " * 30
    completion = ask(app({"answer": text}), {"model": "m", "prompt": "x"}, path="/v1/completions")
    assert completion.json["choices"][0]["text"] == text
    usual = ask(App(), {"model": "m", "prompt": text}, path="/v1/completions").json["choices"][0]
    assert (len(usual["text"].split()), usual["finish_reason"]) == (15, "length")


def test_functions_can_be_called_whatever_the_request_offers() -> None:
    calls = [{"name": "search", "arguments": {"q": "canary"}}, {"name": "stop", "arguments": "{broken"}]
    message = ask(app({"tool_call": calls}), chat("x")).json["choices"][0]["message"]
    assert [(call["function"]["name"], call["function"]["arguments"]) for call in message["tool_calls"]] == [
        ("search", '{"q": "canary"}'),
        ("stop", "{broken"),
    ]
    legacy = ask(app({"tool_call": calls[0]}), chat("x", functions=[{"name": "search"}])).json["choices"][0]
    assert legacy["finish_reason"] == "function_call"
    assert legacy["message"]["function_call"] == {"name": "search", "arguments": '{"q": "canary"}'}


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ({"status": 429}, (429, "rate_limit_error", "rate_limit_exceeded")),
        ({"status": 500}, (500, "server_error", None)),
        ({"status": 401}, (401, "authentication_error", "invalid_api_key")),
        ({"status": 400, "code": "content_filter"}, (400, "invalid_request_error", "content_filter")),
    ],
)
def test_an_error_has_openais_form(rule: dict[str, Any], error: tuple[int, str, str | None]) -> None:
    assert error_of(ask(app(rule), chat("x"))) == error


@pytest.mark.parametrize(
    ("retry_after", "header"),
    [
        (2, "2"),
        (0.25, "0.25"),
        ("Fri, 01 Jan 2027 12:00:05 GMT", "Fri, 01 Jan 2027 12:00:05 GMT"),
        ({"date_in_s": 5}, "Fri, 01 Jan 2027 12:00:05 GMT"),
    ],
)
def test_retry_after_is_seconds_a_text_or_a_date(retry_after: Any, header: str) -> None:
    answered = ask(app({"status": 429, "retry_after": retry_after, "message": "slow down"}), chat("x"))
    assert answered.headers["retry-after"] == header
    assert answered.json["error"]["message"] == "slow down"


@pytest.mark.parametrize("garbage", ["json", "html", "empty", "bytes"])
def test_garbage_is_no_json_with_status_200(garbage: str) -> None:
    answered = ask(app({"garbage": garbage}), chat("x"))
    assert answered.status == 200
    with pytest.raises(ValueError, match=r"."):
        json.loads(answered.body)


def test_an_answer_can_be_many_megabytes() -> None:
    answered = ask(app({"size_mb": 5}), chat("x"))
    assert len(answered.text) == 5_000_000
    assert answered.json["usage"]["completion_tokens"] == 1


def test_a_rule_is_fresh_after_a_reset_and_calls_are_forgotten() -> None:
    scripted = app({"answer": "once", "times": 1})
    assert [ask(scripted, chat("x")).text for _ in range(2)] == ["once", "You said: x"]
    assert ask(scripted, path="/_calls", method="GET").json["total"] == 2
    assert ask(scripted, path="/_reset").json["total"] == 0
    assert ask(scripted, chat("x")).text == "once"


def test_a_script_can_be_sent() -> None:
    scripted = App()
    assert ask(scripted, {"rules": [{"answer": "sent"}]}, path="/_script").json == {"rules": 1}
    assert ask(scripted, chat("x")).text == "sent"
    refused = ask(scripted, [{"status": 200}], path="/_script")
    assert refused.status == 400
    assert refused.json["error"]["message"].startswith("script[0].status: ")
    assert ask(scripted, chat("x")).text == "sent"


def test_latencies_are_drawn_within_their_bounds_and_the_same_again() -> None:
    drawn = [drawn_ms((10, 20), digest=str(at), times=1, seed=7) for at in range(100)]
    assert all(10 <= each <= 20 for each in drawn)
    assert len(set(drawn)) > 90
    assert drawn == [drawn_ms((10, 20), digest=str(at), times=1, seed=7) for at in range(100)]
    assert (
        drawn_ms((10, 20), digest="0", times=2, seed=7) != drawn[0] != drawn_ms((10, 20), digest="0", times=1, seed=8)
    )
    assert drawn_ms(5, digest="0", times=1, seed=7) == 5


RULES = """
rules:
- when: {contains: canary}
  status: 503
  times: 2
- answer: fine
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("script.yaml", RULES),
        ("script.json", '[{"when": {"contains": "canary"}, "status": 503, "times": 2}, {"answer": "fine"}]'),
    ],
)
def test_a_script_is_read_from_yaml_and_json(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert read_script(tmp_path / name) == [
        Rule(when=When(contains="canary"), status=503, times=2),
        Rule(answer="fine"),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("- answer: [", "not valid YAML or JSON"),
        ("answer: x", "script: is {'answer': 'x'}; wanted a list of rules, or an object with `rules`"),
        ("- {answr: x}", "script[0]: object contains unknown field `answr`"),
        ("- answer: x\n- {when: {contains: 1}}", "script[1].when.contains: expected `str | null`, got `int`"),
        ("- {when: {regex: '('}}", "script[0].when.regex: is no regular expression"),
        ("- {answer: x, status: 500}", "script[0]: names answer and status; wanted one of them"),
        ("- {garbage: xml}", "script[0].garbage: invalid enum value 'xml'"),
    ],
)
def test_a_wrong_script_is_refused_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "script.yaml").write_text(text)
    with pytest.raises(InvalidInput) as refused:
        read_script(tmp_path / "script.yaml")
    assert sentence in refused.value.sentence


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none\.yaml: cannot be read \(No such file or directory\)"):
        read_script(tmp_path / "none.yaml")
