"""The nouns of tuning data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Format = Literal["openai-chat", "preference", "dataset"]
LEAST_EXAMPLES = 10
"""OpenAI starts no job with fewer."""


@dataclass(frozen=True, slots=True)
class TuningData:
    """Rows in a format made of an endpoint's rated answers, and how many answers were left out for which reason."""

    endpoint: str
    format: Format
    answers: int
    rows: tuple[dict[str, Any], ...]
    left_out: dict[str, int]
