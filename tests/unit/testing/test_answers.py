"""What is answered when no script says it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opsloop.testing.app import App
from tests.unit.testing.asking import ask, chat


def said(*texts: str, **more: Any) -> str:
    return ask(App(), chat(*texts, **more)).text


def test_the_last_user_message_is_echoed() -> None:
    assert said("first", "second") == "You said: second"


def test_of_a_long_message_the_end_is_echoed() -> None:
    text = " ".join(f"w{number}" for number in range(100))
    assert said(text) == "You said: … " + " ".join(f"w{number}" for number in range(40, 100))


@pytest.mark.parametrize("content", ["", None, [], [{"type": "text", "text": " "}]])
def test_an_empty_message_is_answered_too(content: Any) -> None:
    answered = ask(App(), {"model": "m", "messages": [{"role": "user", "content": content}]})
    assert answered.text == "You said: nothing"
    assert answered.json["usage"]["prompt_tokens"] == 3


def test_json_that_is_asked_for_in_words_has_the_form_that_is_shown() -> None:
    prompt = 'Only valid JSON.\nOUTPUT:\n{"score": "5", "why": "clear"}\nAnswer: x\nOUTPUT:'
    assert json.loads(said(prompt)) == {"score": "5", "why": "clear"}
    assert said('Set {"a": 1}') == 'You said: Set {"a": 1}'
    assert said("Give me JSON") == "You said: Give me JSON"


@pytest.mark.parametrize(
    ("prompt", "low", "high"),
    [
        ("The score should be an integer between 1 and 5.\nAnswer: {}", 1, 5),
        ("Rate it on a scale of 1 (poor) to 5 (excellent): {}", 1, 5),
        ("Give a rating from 0 to 10 for {}", 0, 10),
    ],
)
def test_a_score_that_is_asked_for_is_a_number_of_its_range(prompt: str, low: int, high: int) -> None:
    scores = [int(said(prompt.replace("{}", f"answer {number}"))) for number in range(50)]
    assert set(scores) == set(range(low, high + 1))


@pytest.mark.parametrize("prompt", ["Choose a day from 1 to 5", "Score it", "score from 5 to 1"])
def test_other_numbers_are_no_scores(prompt: str) -> None:
    assert said(prompt) == f"You said: {prompt}"


def test_after_a_functions_result_comes_a_text_and_a_new_question_calls_again() -> None:
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]
    asked = {"role": "user", "content": "look"}
    called = {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "look"}}]}
    result = {"role": "tool", "tool_call_id": "1", "content": "a bird"}

    def finish(*messages: Any) -> str:
        answered = ask(App(), {"model": "m", "messages": list(messages), "tools": tools})
        reason: str = answered.json["choices"][0]["finish_reason"]
        return reason

    assert finish(asked) == "tool_calls"
    assert finish(asked, called, result) == "stop"
    assert finish(asked, called, result, asked) == "tool_calls"
