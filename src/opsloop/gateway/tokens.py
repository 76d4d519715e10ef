"""How many tokens a text has, when no model's server counted them.

An estimate: four bytes of UTF-8 a token, which is OpenAI's rule of thumb for English ("1 token ~= 4 characters", "What
are tokens and how to count them?"); scripts of three bytes a character come to 0.75 tokens a character, near what
their tokenizers give. A message costs 3 tokens beside its text and an answer is primed with 3 (OpenAI Cookbook, "How to
count tokens with tiktoken"). Answers say when their usage was estimated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from opsloop.flows.results import TokenUse

BYTES_PER_TOKEN = 4
PER_MESSAGE = 3
PRIMING = 3


@dataclass(frozen=True, slots=True)
class Usage:
    prompt: int
    completion: int
    is_estimate: bool


def estimate(text: str) -> int:
    """Tokens of a text; at least 1 unless it is empty."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return -(-size // BYTES_PER_TOKEN)


def usage(counted: TokenUse, *, asked: Iterable[str], answered: str) -> Usage:
    """What the model calls used when each was counted by its server; else an estimate of the texts."""
    if counted.calls and not counted.uncounted_calls:
        return Usage(counted.prompt, counted.completion, is_estimate=False)
    prompt = PRIMING + sum(PER_MESSAGE + estimate(text) for text in asked)
    return Usage(prompt, max(1, estimate(answered)), is_estimate=True)
