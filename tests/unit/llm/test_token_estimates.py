import pytest

from opsloop.llm.port import Usage
from opsloop.llm.token_estimates import chat_usage, estimate, text_usage


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("日本語文", 3), ("\ud800", 1)]
)
def test_four_bytes_are_a_token(text: str, tokens: int) -> None:
    assert estimate(text) == tokens


def test_a_conversation_counts_its_messages_images_calls_and_tools() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 10_000}}
    messages: list[dict[str, object]] = [
        {"role": "system", "content": "abcd"},
        {"role": "user", "content": [{"type": "text", "text": "abcd"}, image]},
        {"role": "assistant", "content": None, "tool_calls": ["abcdefgh"]},
    ]
    usage = chat_usage(messages, {"content": "abcd"}, tools=["abcdefgh"])
    assert usage == Usage(3 + (3 + 1) + (3 + 1 + 85) + (3 + 3) + 3, 1, estimated=True)


def test_an_answer_is_never_0_tokens() -> None:
    assert chat_usage([], {"content": ""}).completion_tokens == 1


def test_bare_texts_are_counted_alone() -> None:
    assert text_usage(["abcd", "ef"], "ghij") == Usage(2, 1, estimated=True)
