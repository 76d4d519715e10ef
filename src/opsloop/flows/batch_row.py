"""One row that a batch has to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from opsloop.flows.journal import digest_of


@dataclass(frozen=True)  # without slots: its digest is made once
class Row:
    """One row of the data with what an earlier run made of it; `index` is its number in the data, from 0."""

    index: int
    data: Mapping[str, Any]
    outputs: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        return digest_of([self.data, self.outputs, self.inputs])
