"""Measures that ask something outside of this process, or of users' code: they take all rows, and may wait."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opsloop.flows.results import NO_TOKENS, TokenUse

ITSELF = ""
"""The name of the output that is the metric itself."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of one row.

    Attributes:
        scores: by output; that of `ITSELF` is the metric.
        error: why there is none; the row then counts with the worst.
        note: what to show beside the score, such as a judge's reason.
        use: tokens of the models that were asked.
        by: the model that answered, as its server names it.
        applies: false where the measure does not speak of the row, such as the support of an abstention.
    """

    scores: Mapping[str, float | None] = field(default_factory=dict)
    error: str | None = None
    note: str = ""
    use: TokenUse = NO_TOKENS
    by: str = ""
    applies: bool = True


Ask = Callable[[Sequence[Mapping[str, Any]]], Awaitable[Sequence[Asked]]]
"""Scores rows, of each its inputs; gives one answer a row, in their order."""
MakeAsk = Callable[[Mapping[str, Any]], Ask | None]
