"""How many tokens a prompt has, about: for users' code that keeps a chat's history within a model's limit.

A token of English text is four characters; each message costs three more, and the answer's beginning three.
Source: OpenAI Help Center, What are tokens and how to count them; OpenAI Cookbook, How to count tokens with tiktoken.
Where tiktoken is installed and has its vocabulary at hand, the count is exact for OpenAI's models.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

PER_MESSAGE = 3
PER_ANSWER = 3
CHARS_PER_TOKEN = 4
IMAGE_TOKENS = 765  # of 1024 by 1024 pixels in high detail, as OpenAI's vision guide counts them


def estimated_tokens(prompt: str | Sequence[Mapping[str, Any]]) -> int:
    """Tokens of a text, or of the messages of a chat."""
    if isinstance(prompt, str):
        return _counted(prompt)
    return PER_ANSWER + sum(PER_MESSAGE + sum(_of_value(each) for each in message.values()) for message in prompt)


def _of_value(value: Any) -> int:
    if isinstance(value, list):
        return sum(IMAGE_TOKENS if part.get("type") == "image_url" else _of_value(part.get("text")) for part in value)
    return _counted(value) if isinstance(value, str) else 0


def _counted(text: str) -> int:
    count = _tokenizer()
    return -(-len(text) // CHARS_PER_TOKEN) if count is None else count(text)


@cache
def _tokenizer() -> Callable[[str], int] | None:
    try:
        encoding = importlib.import_module("tiktoken").get_encoding("o200k_base")
    except Exception:  # noqa: BLE001  not installed, or its vocabulary cannot be had: whatever it raises then
        return None
    return lambda text: len(encoding.encode(text, disallowed_special=()))
