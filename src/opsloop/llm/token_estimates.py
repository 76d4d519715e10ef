"""How many tokens a text has, when no model's server counted them.

An estimate: four bytes of UTF-8 a token, which is OpenAI's rule of thumb for English ("1 token ~= 4 characters", "What
are tokens and how to count them?"); scripts of three bytes a character come to 0.75 tokens a character, near what
their tokenizers give. A message costs 3 tokens beside its text and an answer is primed with 3 (OpenAI Cookbook, "How to
count tokens with tiktoken"). An image counts 85, what the smallest costs. Usage says when it was estimated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from opsloop.llm.port import Message, Usage

BYTES_PER_TOKEN = 4
PER_MESSAGE = 3
PRIMING = 3
PER_IMAGE = 85


def estimate(text: str) -> int:
    """Tokens of a text; at least 1 unless it is empty."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return -(-size // BYTES_PER_TOKEN)


def chat_usage(messages: Sequence[Message], answer: Mapping[str, object], tools: object = None) -> Usage:
    """Of a conversation and the message that answers it, with the tools that the model was offered."""
    prompt = PRIMING + sum(PER_MESSAGE + _of_message(message) for message in messages)
    prompt += estimate(json.dumps(tools, default=str)) if tools else 0
    return Usage(prompt, max(1, _of_message(answer)), estimated=True)


def text_usage(texts: Sequence[str], answer: str = "") -> Usage:
    """Of bare texts and what follows them."""
    return Usage(sum(map(estimate, texts)), estimate(answer), estimated=True)


def _of_message(message: Mapping[str, object]) -> int:
    content = message.get("content")
    if isinstance(content, Sequence) and not isinstance(content, str):
        tokens = sum(_of_part(part) for part in content if isinstance(part, Mapping))
    else:
        tokens = estimate(str(content or ""))
    calls = message.get("tool_calls") or message.get("function_call")
    return tokens + (estimate(json.dumps(calls, default=str)) if calls else 0)


def _of_part(part: Mapping[str, object]) -> int:
    return estimate(str(part.get("text") or "")) if "image" not in str(part.get("type")) else PER_IMAGE
