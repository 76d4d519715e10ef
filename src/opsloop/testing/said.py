"""What the model says: a text or a call of a function, before it is written in the form of a route."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from opsloop.testing import tokens

FinishReason = Literal["stop", "length", "tool_calls", "function_call"]


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """`arguments` is JSON text, as the API has it; a script may make it anything."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Said:
    """A text, or calls; never both by default, but a script may say so."""

    text: str | None
    calls: tuple[FunctionCall, ...] = ()
    finish_reason: FinishReason = "stop"

    @property
    def tokens(self) -> int:
        return tokens.count(self.text or "") + sum(tokens.count(call.name + call.arguments) for call in self.calls)


def limited(text: str, *, stops: Sequence[str], token_limit: int | None) -> Said:
    """A text up to the first of its stop words, within a number of tokens."""
    ends = [at for at in (text.find(stop) for stop in stops) if at >= 0]
    text = text[: min(ends)] if ends else text
    if token_limit is not None and len(kept := tokens.cut(text, token_limit)) < len(text):
        return Said(kept, finish_reason="length")
    return Said(text)
