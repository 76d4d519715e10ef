"""A run that was kept to be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from opsloop.flows.results import NodeStatus, TokenUse


class RunStatus(StrEnum):
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class NodeTrace:
    """What one node read, gave, took and used; `conversation` is what its model was sent.

    `start_ms` counts from the start of the run. Long values are cut.
    """

    node: str
    type: str
    status: NodeStatus
    start_ms: float
    duration_ms: float
    inputs: Mapping[str, Any]
    output: Any
    error: str | None
    tokens: TokenUse
    model: str | None
    conversation: Sequence[Any]


@dataclass(frozen=True, slots=True)
class FlowRunLine:
    """A run in a list of runs."""

    id: str
    flow: str
    version: int
    status: RunStatus
    error: str | None
    duration_ms: float
    created_at: datetime
    created_by: str

    @property
    def ref(self) -> str:
        return f"{self.flow}@{self.version}"


@dataclass(frozen=True, slots=True)
class FlowRun:
    """One run of a flow version, with the trace of each node. `created_at` is its start."""

    id: str
    flow: str
    version: int
    digest: str
    variants: Mapping[str, str]
    status: RunStatus
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    error: str | None
    duration_ms: float
    tokens: TokenUse
    nodes: tuple[NodeTrace, ...]
    created_at: datetime
    created_by: str

    @property
    def ref(self) -> str:
        return f"{self.flow}@{self.version}"
