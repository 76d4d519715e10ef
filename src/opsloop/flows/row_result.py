"""What became of one row of a batch, and how a journal keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from opsloop.core.errors import OpsloopError
from opsloop.flows.results import NO_TOKENS, FlowResult, NodeRun, TokenUse


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row. `error` is the sentence of its failure, `error_kind` the kind; None when it completed.

    `nodes` holds the traces of this process; a row taken from a journal has none and says `resumed`.
    """

    index: int
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    error: str | None = None
    error_kind: str | None = None
    duration_ms: float = 0.0
    tokens: TokenUse = NO_TOKENS
    for_aggregation: Mapping[str, Any] = field(default_factory=dict)
    nodes: tuple[NodeRun, ...] = ()
    resumed: bool = False

    @property
    def is_completed(self) -> bool:
        return self.error is None


def completed(index: int, inputs: Mapping[str, Any], done: FlowResult) -> RowResult:
    return RowResult(
        index=index,
        inputs=inputs,
        outputs=done.outputs,
        duration_ms=done.duration_ms,
        tokens=done.tokens,
        for_aggregation=done.for_aggregation,
        nodes=done.nodes,
    )


def failed(index: int, inputs: Mapping[str, Any], error: OpsloopError, result: FlowResult | None) -> RowResult:
    return RowResult(
        index=index,
        inputs=inputs,
        outputs={},
        error=str(error),
        error_kind=error.kind.value,
        duration_ms=result.duration_ms if result is not None else 0.0,
        tokens=result.tokens if result is not None else NO_TOKENS,
        nodes=result.nodes if result is not None else (),
    )


_TOKENS = tuple(each.name for each in fields(TokenUse))


def entry_of(result: RowResult, data: str) -> dict[str, Any]:
    """Args:
    data: digest of the row's data.
    """
    tokens = result.tokens
    return {
        "row": result.index,
        "data": data,
        "inputs": result.inputs,
        "outputs": result.outputs,
        "error": result.error,
        "error_kind": result.error_kind,
        "duration_ms": result.duration_ms,
        "tokens": [getattr(tokens, name) for name in _TOKENS],
        "for_aggregation": result.for_aggregation,
    }


def from_entry(entry: Mapping[str, Any]) -> RowResult:
    return RowResult(
        index=entry["row"],
        inputs=entry["inputs"],
        outputs=entry["outputs"],
        error=entry["error"],
        error_kind=entry["error_kind"],
        duration_ms=entry["duration_ms"],
        tokens=TokenUse(*entry["tokens"]),
        for_aggregation=entry["for_aggregation"],
        resumed=True,
    )
