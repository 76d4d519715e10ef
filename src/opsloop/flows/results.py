"""What comes out of running a flow: outputs, and the trace of each node."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

EXCERPT_CHARS = 240

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = EXCERPT_CHARS
_SHORT.maxlist = _SHORT.maxdict = _SHORT.maxtuple = 8


def excerpt(value: object) -> str:
    """A value as a trace shows it: at most 240 characters, whatever its size."""
    text = value[: EXCERPT_CHARS + 1] if isinstance(value, str) else _SHORT.repr(value)
    return text if len(text) <= EXCERPT_CHARS else f"{text[: EXCERPT_CHARS - 1]}…"


class NodeStatus(StrEnum):
    COMPLETED = "completed"
    BYPASSED = "bypassed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class TokenUse:
    """Tokens that model calls used. A call of which nothing is known is counted as such, never as 0 tokens.

    `estimated_calls` are among the counted ones: their tokens were estimated, because their server counted none.
    `priced_usd` is what the priced calls cost; `unpriced_calls` are those whose model has no price.
    """

    prompt: int = 0
    completion: int = 0
    calls: int = 0
    uncounted_calls: int = 0
    estimated_calls: int = 0
    unpriced_calls: int = 0
    priced_usd: float = 0.0

    @property
    def cost_usd(self) -> float | None:
        """What all calls cost, in US dollars; None when that of one is not known."""
        return None if self.unpriced_calls or self.uncounted_calls else self.priced_usd

    @property
    def total(self) -> int:
        return self.prompt + self.completion

    def __add__(self, other: TokenUse) -> TokenUse:
        return TokenUse(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.calls + other.calls,
            self.uncounted_calls + other.uncounted_calls,
            self.estimated_calls + other.estimated_calls,
            self.unpriced_calls + other.unpriced_calls,
            self.priced_usd + other.priced_usd,
        )


NO_TOKENS = TokenUse()


def summed(uses: Iterable[TokenUse]) -> TokenUse:
    total = NO_TOKENS
    for use in uses:
        if use is not NO_TOKENS:
            total = total + use
    return total


@dataclass(frozen=True, slots=True)
class NodeRun:
    """The trace of one node in one run.

    `start_ms` counts from the start of the run. `inputs`, `output` and `conversation` (what a model was sent) are the
    values themselves, so that showing them costs only when shown.
    """

    node: str
    type: str
    status: NodeStatus
    start_ms: float
    duration_ms: float
    output: Any = None
    error: str | None = None
    tokens: TokenUse = NO_TOKENS
    inputs: Mapping[str, Any] = field(default_factory=dict)
    conversation: Sequence[Mapping[str, Any]] = ()
    model: str | None = None

    @property
    def output_excerpt(self) -> str:
        return excerpt(self.output)


@dataclass(frozen=True, slots=True)
class FlowResult:
    """What one run gave. `for_aggregation` holds what aggregation nodes need of this row, by reference."""

    outputs: Mapping[str, Any]
    nodes: tuple[NodeRun, ...]
    started_at: datetime
    duration_ms: float
    tokens: TokenUse = NO_TOKENS
    for_aggregation: Mapping[str, Any] = field(default_factory=dict)

    def node(self, name: str) -> NodeRun:
        """Raises: KeyError."""
        for run in self.nodes:
            if run.node == name:
                return run
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the chat output, as it was made."""

    text: str


@dataclass(frozen=True, slots=True)
class AggregateResult:
    """What the aggregation nodes made of all completed rows. `metrics` are those logged with `log_metric`."""

    outputs: Mapping[str, Any]
    metrics: Mapping[str, float]
    nodes: tuple[NodeRun, ...] = ()
